//! `runledger models`: registered models, their versions and aliases.

use runledger::Client;
use runledger_entities::{ModelVersion, RegisteredModel};
use runledger_protocol::messages::{model_versions, registered_models};
use runledger_search::{
    ModelVersionClause, ModelVersionKey, ModelVersionText, Order, RegistryFilter, TextOp, TextTest,
    parse_registered_model_filter, parse_registered_model_order,
};
use runledger_store::{ModelVersionQuery, PageRequest};

use crate::args::{ModelSearchArgs, ModelsCommand, OneModelArgs};
use crate::command::{self, CommandError};
use crate::term::table::{Cell, Column, Table};
use crate::term::text::{plain, time, wrapped};
use crate::term::{Out, Tone};
use crate::tracking::{self, Access};

/// How many versions are asked for at a time.
const VERSIONS: u32 = 1000;

/// Does what the flags say.
pub(crate) fn run(command: &ModelsCommand) -> Result<(), CommandError> {
    command::run(async {
        match command {
            ModelsCommand::Search(args) => search(args).await,
            ModelsCommand::Describe(args) => describe(args).await,
            ModelsCommand::Versions(args) => versions(args).await,
            ModelsCommand::SetAlias(args) => {
                let client = tracking::open(&args.model.tracking, Access::Write).await?;
                let (name, alias, version) = (&args.model.name, &args.alias, args.version);
                let set = client.set_registered_model_alias(name, alias, version);
                set.await?;
                let said = format!("models:/{name}@{alias} is version {version} now.");
                tell(
                    &client.get_registered_model(name).await?,
                    &said,
                    &args.model,
                )
            }
            ModelsCommand::DeleteAlias(args) => {
                let client = tracking::open(&args.model.tracking, Access::Write).await?;
                let (name, alias) = (&args.model.name, &args.alias);
                client.delete_registered_model_alias(name, alias).await?;
                let said = format!("models:/{name}@{alias} is no version any more.");
                tell(
                    &client.get_registered_model(name).await?,
                    &said,
                    &args.model,
                )
            }
        }
    })
}

fn tell(model: &RegisteredModel, said: &str, args: &OneModelArgs) -> Result<(), CommandError> {
    let mut out = Out::new();
    if args.output.json {
        out.json(&registered_models::one(model))?;
    } else {
        out.line(&plain(said))?;
    }
    Ok(out.flush()?)
}

async fn search(args: &ModelSearchArgs) -> Result<(), CommandError> {
    let filter = args.filter_string.as_deref().unwrap_or_default();
    // Before anything is opened.
    parse_registered_model_filter(filter)?;
    parse_registered_model_order(&args.order_by)?;
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let order: Vec<&str> = args.order_by.iter().map(String::as_str).collect();
    let found = client.search_registered_models(filter, &order).await?;
    let mut out = Out::new();
    if args.output.json {
        out.json(&registered_models::page(&found, None))?;
        return Ok(out.flush()?);
    }
    let mut table = Table::new(vec![
        Column::flexible("NAME", 16),
        Column::whole("NEWEST").right(),
        Column::flexible("ALIASES", 16),
        Column::whole("UPDATED (UTC)"),
    ]);
    for model in &found {
        let newest = model.latest_versions.iter().map(|version| version.version);
        let newest = newest
            .max()
            .map_or("-".to_owned(), |newest| newest.to_string());
        table.row([
            Cell::from(model.name.as_str()),
            Cell::from(newest),
            Cell::from(aliases(model)),
            Cell::of(&moment(model.last_updated_timestamp), Tone::Faint),
        ]);
    }
    out.lines(&table.lines(out.look))?;
    Ok(out.flush()?)
}

fn aliases(model: &RegisteredModel) -> String {
    let aliases = model.aliases.iter();
    let aliases: Vec<_> = aliases
        .map(|alias| format!("{} ({})", alias.alias, alias.version))
        .collect();
    if aliases.is_empty() {
        "-".to_owned()
    } else {
        aliases.join(", ")
    }
}

fn moment(millis: Option<i64>) -> String {
    millis.map_or_else(|| "-".to_owned(), |millis| time(millis, false))
}

async fn describe(args: &OneModelArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let model = client.get_registered_model(&args.name).await?;
    let mut out = Out::new();
    if args.output.json {
        out.json(&registered_models::one(&model))?;
        return Ok(out.flush()?);
    }
    out.line(&Tone::Heading.paint(&plain(&model.name), out.look))?;
    for (title, value) in [
        ("Created", moment(Some(model.creation_timestamp))),
        ("Updated", moment(model.last_updated_timestamp)),
        ("Aliases", aliases(&model)),
    ] {
        out.line(&format!("  {title:<7}  {}", plain(&value)))?;
    }
    let description = model.description.as_deref().unwrap_or_default();
    let columns = out.look.width.unwrap_or(usize::MAX).saturating_sub(2);
    for line in description
        .lines()
        .flat_map(|line| wrapped(&plain(line), columns))
    {
        out.line(&format!("  {line}"))?;
    }
    if !model.tags.is_empty() {
        let mut table = Table::new(vec![
            Column::flexible("TAG", 16),
            Column::flexible("VALUE", 20),
        ]);
        for tag in &model.tags {
            table.row([tag.key.as_str().into(), tag.value.as_str().into()]);
        }
        out.line("")?;
        out.lines(&table.lines(out.look))?;
    }
    if !model.latest_versions.is_empty() {
        out.line("")?;
        out.lines(&of_versions(&model.latest_versions).lines(out.look))?;
    }
    Ok(out.flush()?)
}

async fn versions(args: &OneModelArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    // Of one that is not there a search finds nothing.
    client.get_registered_model(&args.name).await?;
    let found = versions_of(&client, &args.name).await?;
    let mut out = Out::new();
    if args.output.json {
        out.json(&model_versions::page(&found, None))?;
    } else {
        out.lines(&of_versions(&found).lines(out.look))?;
    }
    Ok(out.flush()?)
}

/// All versions of a model, newest first.
pub(crate) async fn versions_of(
    client: &Client,
    name: &str,
) -> Result<Vec<ModelVersion>, CommandError> {
    let mut query = ModelVersionQuery {
        filter: RegistryFilter {
            clauses: vec![ModelVersionClause::Text {
                attribute: ModelVersionText::Name,
                test: TextTest::Compare {
                    op: TextOp::Equal,
                    value: name.to_owned(),
                },
            }],
            // What a server is asked for in words cannot be both.
            prompts: false,
        },
        order_by: vec![Order {
            key: ModelVersionKey::Number,
            descending: true,
        }],
        page: PageRequest {
            max_results: VERSIONS,
            token: None,
        },
    };
    let mut found = Vec::new();
    loop {
        let page = client
            .registry()
            .search_model_versions(query.clone())
            .await?;
        found.extend(page.items);
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            return Ok(found);
        }
    }
}

fn of_versions(versions: &[ModelVersion]) -> Table {
    let mut table = Table::new(vec![
        Column::whole("VERSION").right(),
        Column::flexible("ALIASES", 10),
        Column::whole("CREATED (UTC)"),
        Column::flexible("STATUS", 5),
        Column::flexible("SOURCE", 16),
    ]);
    for version in versions {
        let aliases = version.aliases.join(", ");
        table.row([
            Cell::from(version.version.to_string()),
            Cell::from(if aliases.is_empty() { "-" } else { &aliases }),
            Cell::of(&time(version.creation_timestamp, false), Tone::Faint),
            Cell::from(version.status.name()),
            Cell::of(version.source.as_deref().unwrap_or("-"), Tone::Faint),
        ]);
    }
    table
}
