-- 75868b020152: what a single statement can move. What a tool of MLflow may have filled ahead is
-- filled again, from the same rows.

update trace_info set
    trace_name = (
        select substr(value, 1, 4096) from trace_tags
        where trace_tags.request_id = trace_info.request_id and `key` = 'mlflow.traceName'
    ),
    session_id = (
        select substr(value, 1, 250) from trace_request_metadata
        where trace_request_metadata.request_id = trace_info.request_id
        and `key` = 'mlflow.trace.session'
    ),
    input_tokens = null, output_tokens = null, total_tokens = null,
    cache_read_input_tokens = null, cache_creation_input_tokens = null,
    cache_creation_input_tokens_above_1hr = null,
    input_cost = null, output_cost = null, total_cost = null;

update spans set
    input_cost = (
        select value from span_metrics
        where span_metrics.trace_id = spans.trace_id and span_metrics.span_id = spans.span_id
        and `key` = 'input_cost'
    ),
    output_cost = (
        select value from span_metrics
        where span_metrics.trace_id = spans.trace_id and span_metrics.span_id = spans.span_id
        and `key` = 'output_cost'
    ),
    total_cost = (
        select value from span_metrics
        where span_metrics.trace_id = spans.trace_id and span_metrics.span_id = spans.span_id
        and `key` = 'total_cost'
    ),
    model_name = if(
        json_type(json_extract(dimension_attributes, '$."mlflow.llm.model"')) = 'STRING',
        substr(json_unquote(json_extract(dimension_attributes, '$."mlflow.llm.model"')), 1, 500),
        null
    ),
    model_provider = if(
        json_type(json_extract(dimension_attributes, '$."mlflow.llm.provider"')) = 'STRING',
        substr(json_unquote(json_extract(dimension_attributes, '$."mlflow.llm.provider"')), 1, 500),
        null
    )
where dimension_attributes is not null
or input_cost is not null or output_cost is not null or total_cost is not null
or model_name is not null or model_provider is not null
or exists (
    select 1 from span_metrics
    where span_metrics.trace_id = spans.trace_id and span_metrics.span_id = spans.span_id
);

update assessments set
    experiment_id = (select trace_info.experiment_id from trace_info where request_id = trace_id),
    trace_timestamp_ms = (select timestamp_ms from trace_info where request_id = trace_id),
    aggregate_value = null,
    is_numeric_value = false;
