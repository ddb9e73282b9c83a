//! How floating-point values are kept in MLflow's schema.

/// A metric's value in its two columns.
///
/// A database cannot keep NaN and infinities everywhere: NaN is 0 with a flag,
/// an infinity is the largest number of its sign (MLflow 3.17
/// `SqlAlchemyStore`), and is read back as that number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StoredValue {
    /// The column `value`.
    pub(crate) value: f64,
    /// The column `is_nan`.
    pub(crate) is_nan: bool,
}

impl StoredValue {
    /// The columns for a value.
    pub(crate) fn of(value: f64) -> Self {
        if value.is_nan() {
            Self {
                value: 0.0,
                is_nan: true,
            }
        } else {
            Self {
                value: value.clamp(f64::MIN, f64::MAX),
                is_nan: false,
            }
        }
    }

    /// The value of the columns.
    pub(crate) fn read(self) -> f64 {
        if self.is_nan { f64::NAN } else { self.value }
    }
}
