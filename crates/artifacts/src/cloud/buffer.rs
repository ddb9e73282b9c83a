//! The bytes of a part while they gather.
//!
//! A large buffer is mapped, not allocated: the C library keeps what was freed in its
//! arenas, and after a few uploads side by side a server held half as much again as
//! its parts took. What is mapped goes back to the system at once.

use std::io;

use bytes::{Bytes, BytesMut};
use memmap2::MmapMut;

/// Bytes that gather: short ones, until there is room for a whole part.
pub(super) enum Buffer {
    Short(BytesMut),
    Mapped(Mapped),
}

/// The first `filled` bytes of a mapping.
pub(super) struct Mapped {
    map: MmapMut,
    filled: usize,
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map[..self.filled]
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::Short(BytesMut::new())
    }
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Short(bytes) => bytes.len(),
            Self::Mapped(mapped) => mapped.filled,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `bytes` in all.
    ///
    /// # Errors
    /// The system has no memory.
    pub(super) fn map(&mut self, bytes: usize) -> io::Result<()> {
        if let Self::Short(short) = self {
            let mut map = MmapMut::map_anon(bytes.max(short.len()))?;
            map[..short.len()].copy_from_slice(short);
            let filled = short.len();
            *self = Self::Mapped(Mapped { map, filled });
        }
        Ok(())
    }

    /// Adds bytes, for which a mapped buffer must have room.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        match self {
            Self::Short(short) => short.extend_from_slice(bytes),
            Self::Mapped(Mapped { map, filled }) => {
                let end = *filled + bytes.len();
                map[*filled..end].copy_from_slice(bytes);
                *filled = end;
            }
        }
    }

    /// What has gathered.
    pub(super) fn freeze(self) -> Bytes {
        match self {
            Self::Short(bytes) => bytes.freeze(),
            Self::Mapped(mapped) => Bytes::from_owner(mapped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_in_order_when_the_buffer_becomes_large() {
        let mut buffer = Buffer::default();
        assert!(buffer.is_empty());
        buffer.extend(b"one");
        buffer.map(8).unwrap();
        buffer.extend(b"two");
        // It has room already.
        buffer.map(100).unwrap();
        buffer.extend(b"!!");
        assert_eq!(buffer.len(), 8);
        assert_eq!(buffer.freeze(), Bytes::from_static(b"onetwo!!"));
    }

    #[test]
    fn a_short_buffer_needs_no_map() {
        let mut buffer = Buffer::default();
        buffer.extend(b"short");
        assert_eq!(buffer.freeze(), Bytes::from_static(b"short"));
    }
}
