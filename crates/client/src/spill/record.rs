//! The lines of a file of unsent data: one JSON object each.
//!
//! The first one says whose it is, `{"runledger_spill": 1, "run_id": "…",
//! "tracking_uri": "…"}`; the others are `{"metric": {…}}`, `{"param": {…}}` and `{"tag":
//! {…}}`, with the members of MLflow's `log-batch`, and `{"end": {"status": "FINISHED",
//! "end_time": 1700000000000}}`, with those of `runs/update`.

use runledger_entities::{Metric, Param, RunId, RunStatus, Tag};
use serde_json::{Value, json};

use crate::rest;

/// The version of these lines.
const VERSION: u64 = 1;

/// The longest line: that of a param whose every character is escaped has 40,000 bytes.
pub(super) const LONGEST: usize = 256 * 1024;

/// What one line says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Metric(Metric),
    Param(Param),
    Tag(Tag),
    /// The run ended like this, at this time (milliseconds since the epoch).
    End(RunStatus, i64),
}

impl Record {
    /// Adds the line, with its end.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let line = match self {
            Self::Metric(metric) => json!({"metric": rest::metric_to_json(metric)}),
            Self::Param(param) => json!({"param": rest::param_to_json(param)}),
            Self::Tag(tag) => json!({"tag": rest::tag_to_json(tag)}),
            Self::End(status, end_time) => {
                json!({"end": {"status": status.name(), "end_time": end_time}})
            }
        };
        write_line(&line, to);
    }

    /// Reads a line, or says what is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let line: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if let Some(metric) = line.get("metric") {
            let metric = rest::metric_from_json(metric).map_err(|error| error.to_string())?;
            return Ok(Self::Metric(metric));
        }
        if let Some(param) = line.get("param") {
            return Ok(Self::Param(Param::new(
                text(param, "key")?,
                text(param, "value")?,
            )));
        }
        if let Some(tag) = line.get("tag") {
            return Ok(Self::Tag(Tag::new(text(tag, "key")?, text(tag, "value")?)));
        }
        let end = line.get("end").ok_or("it is of no known kind")?;
        let status = text(end, "status")?;
        let status = RunStatus::from_name(&status)
            .ok_or_else(|| format!("'{status}' is no status of a run"))?;
        let end_time = end.get("end_time").and_then(Value::as_i64);
        Ok(Self::End(status, end_time.ok_or("it lacks 'end_time'")?))
    }
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) run_id: RunId,
    /// Without an account.
    pub(super) uri: String,
}

impl Header {
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let line = json!({
            "runledger_spill": VERSION,
            "run_id": self.run_id.as_str(),
            "tracking_uri": self.uri,
        });
        write_line(&line, to);
    }

    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let line: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match line.get("runledger_spill").and_then(Value::as_u64) {
            Some(VERSION) => Ok(Self {
                run_id: RunId::new(text(&line, "run_id")?),
                uri: text(&line, "tracking_uri")?,
            }),
            Some(version) => Err(format!(
                "it is of version {version}, and this program reads {VERSION}: use a newer one"
            )),
            None => Err("its first line is not that of such a file".to_owned()),
        }
    }
}

fn text(object: &Value, name: &str) -> Result<String, String> {
    let text = object.get(name).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| format!("it lacks '{name}'"))
}

fn write_line(line: &Value, to: &mut Vec<u8>) {
    to.extend_from_slice(line.to_string().as_bytes());
    to.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let records = [
            Record::Metric(Metric::new("loss/ä", -0.1, 1_700_000_000_000, -3)),
            Record::Metric(Metric::new("inf", f64::NEG_INFINITY, 1, 0)),
            Record::Metric(Metric::new("small", 5e-324, i64::MAX, i64::MIN)),
            Record::Param(Param::new("depth", "7\n\u{1}\"")),
            Record::Tag(Tag::new("mlflow.user", "")),
            Record::End(RunStatus::Killed, 1_700_000_000_001),
        ];
        for record in records {
            let mut line = Vec::new();
            record.write(&mut line);
            assert_eq!(line.pop(), Some(b'\n'));
            assert!(!line.contains(&b'\n'));
            assert_eq!(Record::read(&line), Ok(record));
        }
        let mut line = Vec::new();
        Record::Metric(Metric::new("nan", f64::NAN, 1, 0)).write(&mut line);
        let Ok(Record::Metric(read)) = Record::read(&line) else {
            panic!("no metric");
        };
        assert!(read.value.is_nan());
    }

    #[test]
    fn what_is_no_record_is_told() {
        for (line, told) in [
            ("{\"metric\"", "EOF"),
            ("{}", "no known kind"),
            ("{\"param\": {\"key\": \"a\"}}", "lacks 'value'"),
            (
                "{\"end\": {\"status\": \"DONE\", \"end_time\": 1}}",
                "'DONE' is no status",
            ),
        ] {
            let error = Record::read(line.as_bytes()).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        let newer = Header::read(b"{\"runledger_spill\": 2}").unwrap_err();
        assert!(newer.contains("version 2"), "{newer}");
    }
}
