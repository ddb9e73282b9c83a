//! What a record says: the time, the step and the scalars of TensorFlow's `Event`.
//!
//! Only these fields of the protobuf messages are looked at; others are passed over.

/// An event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Event {
    /// Milliseconds since the epoch.
    pub(super) time_ms: i64,
    pub(super) step: i64,
    /// Tags with their values.
    pub(super) scalars: Vec<(String, f64)>,
}

/// The value of a field of a message.
#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMessage;

type Read<T> = Result<T, NoMessage>;

/// Takes bytes off the beginning.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Read<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(NoMessage)?;
    *bytes = rest;
    Ok(taken)
}

/// The same, of a number that is known before.
fn array<const N: usize>(bytes: &mut &[u8]) -> Read<[u8; N]> {
    take(bytes, N)?.try_into().map_err(|_| NoMessage)
}

fn varint(bytes: &mut &[u8]) -> Read<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = array(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(NoMessage)
}

/// Calls with each field of a message.
fn fields<'a>(mut bytes: &'a [u8], mut each: impl FnMut(u64, Field<'a>) -> Read<()>) -> Read<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut bytes)?),
            1 => Field::Fixed64(array(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?);
                Field::Bytes(take(&mut bytes, length.map_err(|_| NoMessage)?)?)
            }
            5 => Field::Fixed32(array(&mut bytes)?),
            _ => return Err(NoMessage),
        };
        each(key >> 3, field)?;
    }
    Ok(())
}

/// Reads an event.
pub(super) fn read(bytes: &[u8]) -> Read<Event> {
    let mut event = Event::default();
    fields(bytes, |number, field| {
        match (number, field) {
            (1, Field::Fixed64(seconds)) => event.time_ms = millis(f64::from_le_bytes(seconds)),
            (2, Field::Varint(step)) => event.step = step.cast_signed(),
            (5, Field::Bytes(summary)) => fields(summary, |number, field| {
                if let (1, Field::Bytes(value)) = (number, field) {
                    event.scalars.extend(scalar(value)?);
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(event)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of Rust stops at the ends"
)]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// A value of a summary, if it is a scalar.
fn scalar(bytes: &[u8]) -> Read<Option<(String, f64)>> {
    let mut tag = String::new();
    let mut number = None;
    fields(bytes, |at, field| {
        match (at, field) {
            (1, Field::Bytes(text)) => tag = String::from_utf8_lossy(text).into_owned(),
            (2, Field::Fixed32(value)) => number = Some(f64::from(f32::from_le_bytes(value))),
            (8, Field::Bytes(value)) => number = tensor(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(number.map(|number| (tag, number)))
}

/// The only number of a tensor of floats, if it has one.
fn tensor(bytes: &[u8]) -> Read<Option<f64>> {
    let mut kind = 0;
    let mut content: &[u8] = &[];
    fields(bytes, |at, field| {
        match (at, field) {
            (1, Field::Varint(value)) => kind = value,
            // As bytes, as floats, as doubles.
            (4..=6, Field::Bytes(value)) => content = value,
            _ => {}
        }
        Ok(())
    })?;
    // `DT_FLOAT` and `DT_DOUBLE`.
    Ok(match kind {
        1 => content
            .try_into()
            .ok()
            .map(|value| f64::from(f32::from_le_bytes(value))),
        2 => content.try_into().ok().map(f64::from_le_bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[(number << 3) | 2, length], content].concat()
    }

    fn event(values: &[Vec<u8>]) -> Vec<u8> {
        let summary: Vec<u8> = values.iter().flat_map(|value| message(1, value)).collect();
        let mut event = vec![0x09];
        event.extend(1_767_225_600.5_f64.to_le_bytes());
        event.extend([0x10, 0xac, 0x02]);
        event.extend(message(5, &summary));
        event
    }

    #[test]
    fn old_and_new_scalars_are_read() {
        let old = [
            message(1, b"loss"),
            vec![0x15],
            0.5_f32.to_le_bytes().to_vec(),
        ]
        .concat();
        let float = [&[0x08, 1][..], &message(4, &2.0_f32.to_le_bytes())].concat();
        let new = [message(1, b"acc"), message(8, &float)].concat();
        let double = [&[0x08, 2][..], &message(6, &3.0_f64.to_le_bytes())].concat();
        let wide = [message(1, b"wide"), message(8, &double)].concat();
        let several = [&[0x08, 1][..], &message(4, &[0; 8])].concat();
        let histogram = [message(1, b"weights"), message(8, &several)].concat();
        let read = read(&event(&[old, new, wide, histogram])).unwrap();
        assert_eq!((read.time_ms, read.step), (1_767_225_600_500, 300));
        let scalars = [("loss", 0.5), ("acc", 2.0), ("wide", 3.0)];
        let scalars = scalars.map(|(tag, value)| (tag.to_owned(), value));
        assert_eq!(read.scalars, scalars);
    }

    #[test]
    fn what_is_no_message_is_none() {
        assert_eq!(read(&[0x0a, 9, 1]), Err(NoMessage));
        assert_eq!(read(&[0xff; 12]), Err(NoMessage));
        assert_eq!(read(b""), Ok(Event::default()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
