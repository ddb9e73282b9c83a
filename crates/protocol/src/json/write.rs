//! Responses: compact JSON, written once, without a tree in between.
//!
//! By protobuf's rules as MLflow applies them: int64 are numbers, doubles
//! that JSON cannot write are texts, empty lists are left out.

/// A JSON object under construction.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// Writes a JSON text whose outermost value is an object.
pub(crate) fn object(fields: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_object(&mut out, fields);
    out
}

fn write_object(out: &mut Vec<u8>, fields: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fields(&mut Object { out, empty: true });
    out.push(b'}');
}

fn write_value<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Texts and numbers serialise, and a `Vec` takes every byte.
    let _ = serde_json::to_writer(out, value);
}

/// Writes a text as a JSON string.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_value(out, text);
}

impl Object<'_> {
    /// `key` is one of ours: it needs no escapes.
    fn key(&mut self, key: &'static str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(crate) fn text(&mut self, key: &'static str, value: &str) {
        self.key(key);
        write_text(self.out, value);
    }

    pub(crate) fn maybe_text(&mut self, key: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// An experiment's id: a number, written as a text.
    pub(crate) fn id(&mut self, key: &'static str, id: runledger_entities::ExperimentId) {
        self.key(key);
        self.out.push(b'"');
        write_value(self.out, &id.0);
        self.out.push(b'"');
    }

    pub(crate) fn int(&mut self, key: &'static str, value: i64) {
        self.key(key);
        write_value(self.out, &value);
    }

    pub(crate) fn uint(&mut self, key: &'static str, value: u64) {
        self.key(key);
        write_value(self.out, &value);
    }

    pub(crate) fn maybe_int(&mut self, key: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.int(key, value);
        }
    }

    pub(crate) fn null(&mut self, key: &'static str) {
        self.key(key);
        self.out.extend_from_slice(b"null");
    }

    pub(crate) fn flag(&mut self, key: &'static str, value: bool) {
        self.key(key);
        write_value(self.out, &value);
    }

    /// A double; the three that JSON cannot write become texts.
    pub(crate) fn double(&mut self, key: &'static str, value: f64) {
        self.key(key);
        match non_finite(value) {
            Some(name) => write_text(self.out, name),
            None => write_value(self.out, &value),
        }
    }

    /// A double; the three that JSON cannot write become bare tokens, as
    /// Python writes them.
    pub(crate) fn python_double(&mut self, key: &'static str, value: f64) {
        self.key(key);
        match non_finite(value) {
            Some(name) => self.out.extend_from_slice(name.as_bytes()),
            None => write_value(self.out, &value),
        }
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &'static str, json: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(json);
    }

    /// A map of doubles.
    pub(crate) fn doubles(&mut self, key: &'static str, numbers: &[(String, f64)]) {
        self.key(key);
        self.out.push(b'{');
        for (number, (name, value)) in numbers.iter().enumerate() {
            if number > 0 {
                self.out.push(b',');
            }
            write_text(self.out, name);
            self.out.push(b':');
            match non_finite(*value) {
                Some(word) => write_text(self.out, word),
                None => write_value(self.out, value),
            }
        }
        self.out.push(b'}');
    }

    /// A map of texts, left out where it is empty.
    pub(crate) fn map<'t>(
        &mut self,
        key: &'static str,
        texts: impl Iterator<Item = (&'t str, &'t str)>,
    ) {
        let mut texts = texts.peekable();
        if texts.peek().is_none() {
            return;
        }
        self.key(key);
        for (number, (name, text)) in texts.enumerate() {
            self.out.push(if number == 0 { b'{' } else { b',' });
            write_text(self.out, name);
            self.out.push(b':');
            write_text(self.out, text);
        }
        self.out.push(b'}');
    }

    pub(crate) fn object(&mut self, key: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        write_object(self.out, fields);
    }

    /// An object of texts whose names are data, too.
    pub(crate) fn named_texts(&mut self, key: &'static str, entries: &[(String, String)]) {
        self.key(key);
        self.out.push(b'{');
        for (index, (name, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write_text(self.out, name);
            self.out.push(b':');
            write_text(self.out, value);
        }
        self.out.push(b'}');
    }

    /// A list of texts, left out where it is empty.
    pub(crate) fn texts(&mut self, key: &'static str, items: &[String]) {
        if !items.is_empty() {
            self.key(key);
            write_value(self.out, items);
        }
    }

    /// A list of objects, left out where it is empty.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        items: &[T],
        item_fields: impl FnMut(&mut Object<'_>, &T),
    ) {
        if !items.is_empty() {
            self.full_list(key, items, item_fields);
        }
    }

    /// A list of objects, present even where it is empty.
    pub(crate) fn full_list<T>(
        &mut self,
        key: &'static str,
        items: &[T],
        mut item_fields: impl FnMut(&mut Object<'_>, &T),
    ) {
        self.key(key);
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write_object(self.out, |object| item_fields(object, item));
        }
        self.out.push(b']');
    }
}

fn non_finite(value: f64) -> Option<&'static str> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some("NaN")
    } else if value > 0.0 {
        Some("Infinity")
    } else {
        Some("-Infinity")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_and_lists_are_separated_by_commas() {
        let bytes = object(|o| {
            o.text("a", "x\"é\n");
            o.int("b", -1);
            o.list("none", &[] as &[i64], |o, item| o.int("i", *item));
            o.list("some", &[1, 2], |o, item| o.int("i", *item));
            o.object("o", |_| {});
        });
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"a":"x\"é\n","b":-1,"some":[{"i":1},{"i":2}],"o":{}}"#
        );
    }

    #[test]
    fn doubles_keep_their_point_and_their_names() {
        let bytes = object(|o| {
            o.double("a", 1.0);
            o.double("b", f64::NAN);
            o.double("c", f64::NEG_INFINITY);
            o.python_double("d", f64::INFINITY);
        });
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"a":1.0,"b":"NaN","c":"-Infinity","d":Infinity}"#
        );
    }

    proptest! {
        #[test]
        fn texts_and_doubles_come_back(text in ".*", value in any::<f64>()) {
            let bytes = object(|o| { o.text("t", &text); o.double("d", value); });
            let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(json["t"].as_str(), Some(text.as_str()));
            if value.is_finite() {
                prop_assert_eq!(json["d"].as_f64().map(f64::to_bits), Some(value.to_bits()));
            }
        }
    }
}
