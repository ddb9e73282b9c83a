-- 4465047574b1: dataset schemas of up to 16 MB.

alter table datasets modify dataset_schema mediumtext null;
