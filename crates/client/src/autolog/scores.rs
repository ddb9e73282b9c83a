//! Scores of predictions, as scikit-learn computes them and MLflow's autologging names them.

use std::collections::BTreeMap;

use crate::{RunLogger, TrackingError};

/// Why predictions have no scores.
///
/// ```
/// use runledger::autolog::{RegressionScores, ScoresError};
///
/// let refused = RegressionScores::of(&[1.0, 2.0], &[1.0]);
/// assert!(matches!(refused, Err(ScoresError::Lengths { truth: 2, predicted: 1 })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// There are not as many predictions as true values.
    #[error("{predicted} predictions cannot be compared with {truth} true values")]
    Lengths {
        /// How many true values there are.
        truth: usize,
        /// How many predictions there are.
        predicted: usize,
    },
    /// There are no predictions.
    #[error("there are no predictions to score")]
    Empty,
}

/// How well classes were predicted. All but `mcc` are between 0 and 1.
///
/// ```
/// # fn main() -> Result<(), runledger::autolog::ScoresError> {
/// use runledger::autolog::ClassificationScores;
///
/// let scores = ClassificationScores::of(&["a", "b"], &["b", "a"])?;
/// assert!(scores.accuracy == 0.0 && scores.mcc < -0.99);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClassificationScores {
    /// The part of predictions that are right (`accuracy_score`).
    pub accuracy: f64,
    /// The part of predictions of a class that are right, as the mean of all classes,
    /// weighted by how often each is true; 0 for a class that was never predicted
    /// (`precision_score`).
    pub precision: f64,
    /// The part of a class that was predicted as such, as the same mean: it is the accuracy
    /// (`recall_score`).
    pub recall: f64,
    /// The harmonic mean of a class's precision and recall, as the same mean (`f1_score`).
    pub f1: f64,
    /// Matthews' correlation coefficient, from -1 to 1; 0 if all that is true, or all that
    /// was predicted, is one class (`matthews_corrcoef`).
    pub mcc: f64,
}

/// How often a class was true, predicted, and both.
#[derive(Default)]
struct Counts {
    truth: f64,
    predicted: f64,
    both: f64,
}

impl ClassificationScores {
    /// The scores of predicted classes.
    ///
    /// ```
    /// # fn main() -> Result<(), runledger::autolog::ScoresError> {
    /// use runledger::autolog::ClassificationScores;
    ///
    /// let scores = ClassificationScores::of(&[1, 1, 0, 0], &[1, 0, 0, 0])?;
    /// assert_eq!(scores.accuracy, 0.75);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ScoresError`] if there are none, or not as many as true ones.
    pub fn of<'a, L: Ord + 'a>(
        truth: impl IntoIterator<Item = &'a L>,
        predicted: impl IntoIterator<Item = &'a L>,
    ) -> Result<Self, ScoresError> {
        let pairs = pairs(truth, predicted)?;
        let (mut classes, mut all, mut right) = (BTreeMap::<&L, Counts>::new(), 0.0, 0.0);
        for (truth, predicted) in pairs {
            classes.entry(truth).or_default().truth += 1.0;
            classes.entry(predicted).or_default().predicted += 1.0;
            if truth == predicted {
                classes.entry(truth).or_default().both += 1.0;
                right += 1.0;
            }
            all += 1.0;
        }
        let sum = |of: fn(&Counts) -> f64| classes.values().map(of).sum::<f64>();
        let mean = |of: fn(&Counts) -> f64| {
            let weighted = classes.values().map(|class| class.truth * of(class));
            weighted.sum::<f64>() / all
        };
        let spread = |of: fn(&Counts) -> f64| all * all - sum(of);
        Ok(Self {
            accuracy: right / all,
            precision: mean(|class| ratio(class.both, class.predicted)),
            recall: mean(|class| ratio(class.both, class.truth)),
            f1: mean(|class| ratio(2.0 * class.both, class.truth + class.predicted)),
            mcc: ratio(
                right * all - sum(|class| class.truth * class.predicted),
                spread(|class| class.truth * class.truth).sqrt()
                    * spread(|class| class.predicted * class.predicted).sqrt(),
            ),
        })
    }

    /// The scores as metrics whose names begin with `prefix`.
    fn metrics(&self, prefix: &str) -> [(String, f64); 5] {
        [
            ("accuracy_score", self.accuracy),
            ("precision_score", self.precision),
            ("recall_score", self.recall),
            ("f1_score", self.f1),
            ("matthews_corrcoef", self.mcc),
        ]
        .map(|(name, value)| (format!("{prefix}{name}"), value))
    }
}

/// How well numbers were predicted.
///
/// ```
/// # fn main() -> Result<(), runledger::autolog::ScoresError> {
/// use runledger::autolog::RegressionScores;
///
/// let scores = RegressionScores::of(&[1.0, 5.0], &[2.0, 4.0])?;
/// assert_eq!((scores.mae, scores.rmse), (1.0, 1.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RegressionScores {
    /// The coefficient of determination, at most 1. Where all true values are
    /// their mean to the last digit, 1 if all predictions are right, else 0; NaN for a single
    /// value (`r2_score`).
    pub r2: f64,
    /// The mean squared error, in squared units of the values (`mean_squared_error`).
    pub mse: f64,
    /// Its square root, in units of the values (`root_mean_squared_error`).
    pub rmse: f64,
    /// The mean absolute error, in units of the values (`mean_absolute_error`).
    pub mae: f64,
}

impl RegressionScores {
    /// The scores of predicted numbers.
    ///
    /// ```
    /// # fn main() -> Result<(), runledger::autolog::ScoresError> {
    /// use runledger::autolog::RegressionScores;
    ///
    /// let scores = RegressionScores::of(&[1.0, 2.0, 3.0], &[1.5, 2.0, 2.5])?;
    /// assert_eq!(scores.r2, 0.75);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ScoresError`] if there are none, or not as many as true ones.
    pub fn of<'a, T: Copy + Into<f64> + 'a>(
        truth: impl IntoIterator<Item = &'a T>,
        predicted: impl IntoIterator<Item = &'a T>,
    ) -> Result<Self, ScoresError> {
        let pairs = pairs(truth, predicted)?.into_iter();
        let pairs: Vec<[f64; 2]> = pairs
            .map(|(truth, predicted)| [(*truth).into(), (*predicted).into()])
            .collect();
        let all = pairs.iter().fold(0.0, |count, _| count + 1.0);
        let sum = |of: &dyn Fn([f64; 2]) -> f64| pairs.iter().map(|pair| of(*pair)).sum::<f64>();
        let mean = sum(&|[truth, _]| truth) / all;
        let squares = sum(&|[truth, predicted]| (truth - predicted).powi(2));
        let variation = sum(&|[truth, _]| (truth - mean).powi(2));
        let r2 = match variation {
            _ if pairs.len() == 1 => f64::NAN,
            0.0 if squares == 0.0 => 1.0,
            0.0 => 0.0,
            _ => 1.0 - squares / variation,
        };
        let mse = squares / all;
        Ok(Self {
            r2,
            mse,
            rmse: mse.sqrt(),
            mae: sum(&|[truth, predicted]| (truth - predicted).abs()) / all,
        })
    }

    /// The scores as metrics whose names begin with `prefix`.
    fn metrics(&self, prefix: &str) -> [(String, f64); 4] {
        [
            ("r2_score", self.r2),
            ("mean_squared_error", self.mse),
            ("root_mean_squared_error", self.rmse),
            ("mean_absolute_error", self.mae),
        ]
        .map(|(name, value)| (format!("{prefix}{name}"), value))
    }
}

impl RunLogger {
    /// Logs how well classes were predicted, and returns it: the metrics `accuracy_score`,
    /// `precision_score`, `recall_score`, `f1_score` and `matthews_corrcoef` of step 0, with
    /// `prefix` before each name. MLflow's autologging of scikit-learn gives the first four
    /// the prefix `training_`, and the same values. What the scores mean,
    /// [`ClassificationScores`] says.
    ///
    /// The classes come from anything that gives references to them, such as slices, `Vec`s
    /// and the arrays of `ndarray`.
    ///
    /// ```no_run
    /// # fn example(run: runledger::RunLogger) -> Result<(), runledger::TrackingError> {
    /// let (truth, predicted) = (["cat", "dog", "cat"], ["cat", "cat", "cat"]);
    /// let scores = run.log_classification("valid_", &truth, &predicted)?;
    /// assert_eq!(scores.accuracy, 2.0 / 3.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Scores`], and what [`RunLogger::log_point`] returns.
    pub fn log_classification<'a, L: Ord + 'a>(
        &self,
        prefix: &str,
        truth: impl IntoIterator<Item = &'a L>,
        predicted: impl IntoIterator<Item = &'a L>,
    ) -> Result<ClassificationScores, TrackingError> {
        let scores = ClassificationScores::of(truth, predicted)?;
        self.log_metrics(scores.metrics(prefix), 0)?;
        Ok(scores)
    }

    /// Logs how well numbers were predicted, and returns it: the metrics `r2_score`,
    /// `mean_squared_error`, `root_mean_squared_error` and `mean_absolute_error` of step 0,
    /// with `prefix` before each name. MLflow's autologging of scikit-learn gives them the
    /// prefix `training_`, and the same values. What the scores mean, [`RegressionScores`]
    /// says.
    ///
    /// The numbers come from anything that gives references to them, such as slices, `Vec`s
    /// and the arrays of `ndarray`.
    ///
    /// ```no_run
    /// # fn example(run: runledger::RunLogger) -> Result<(), runledger::TrackingError> {
    /// run.log_regression("valid_", &[1.0, 2.0, 3.0], &[1.5, 2.0, 2.5])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Scores`], and what [`RunLogger::log_point`] returns.
    pub fn log_regression<'a, T: Copy + Into<f64> + 'a>(
        &self,
        prefix: &str,
        truth: impl IntoIterator<Item = &'a T>,
        predicted: impl IntoIterator<Item = &'a T>,
    ) -> Result<RegressionScores, TrackingError> {
        let scores = RegressionScores::of(truth, predicted)?;
        self.log_metrics(scores.metrics(prefix), 0)?;
        Ok(scores)
    }
}

/// True values with their predictions.
fn pairs<'a, T: 'a>(
    truth: impl IntoIterator<Item = &'a T>,
    predicted: impl IntoIterator<Item = &'a T>,
) -> Result<Vec<(&'a T, &'a T)>, ScoresError> {
    let truth: Vec<_> = truth.into_iter().collect();
    let predicted: Vec<_> = predicted.into_iter().collect();
    if truth.len() != predicted.len() {
        return Err(ScoresError::Lengths {
            truth: truth.len(),
            predicted: predicted.len(),
        });
    }
    if truth.is_empty() {
        return Err(ScoresError::Empty);
    }
    Ok(truth.into_iter().zip(predicted).collect())
}

/// A part of something; 0 of nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn three_classes_as_by_hand() -> Result<(), ScoresError> {
        // a: 3 true, 2 predicted, 2 right; b: 2, 3, 1; c: 1, 1, 0.
        let truth = ["a", "a", "a", "b", "b", "c"];
        let predicted = ["a", "a", "b", "b", "c", "b"];
        let scores = ClassificationScores::of(&truth, &predicted)?;
        close(scores.accuracy, 0.5);
        close(scores.recall, 0.5);
        close(scores.precision, (3.0 + 2.0 / 3.0) / 6.0);
        close(scores.f1, (3.0 * 0.8 + 2.0 * 0.4) / 6.0);
        let (covariance, truths, predictions) = (3.0 * 6.0 - 13.0, 36.0 - 14.0, 36.0 - 14.0_f64);
        close(scores.mcc, covariance / f64::sqrt(truths * predictions));
        Ok(())
    }

    #[test]
    fn one_class_has_no_correlation() -> Result<(), ScoresError> {
        let scores = ClassificationScores::of(&[1, 1], &[1, 1])?;
        close(scores.accuracy, 1.0);
        close(scores.f1, 1.0);
        close(scores.mcc, 0.0);
        let never = ClassificationScores::of(&[1, 1], &[0, 0])?;
        close(never.precision + never.f1 + never.mcc, 0.0);
        Ok(())
    }

    #[test]
    fn numbers_as_by_hand() -> Result<(), ScoresError> {
        let scores = RegressionScores::of(&[1.0_f32, 2.0, 6.0], &[2.0, 2.0, 4.0])?;
        close(scores.mse, 5.0 / 3.0);
        close(scores.rmse, f64::sqrt(5.0 / 3.0));
        close(scores.mae, 1.0);
        close(scores.r2, 1.0 - 5.0 / 14.0);
        Ok(())
    }

    #[test]
    fn numbers_that_do_not_vary() -> Result<(), ScoresError> {
        close(RegressionScores::of(&[2.0, 2.0], &[2.0, 2.0])?.r2, 1.0);
        close(RegressionScores::of(&[2.0, 2.0], &[2.0, 3.0])?.r2, 0.0);
        assert!(RegressionScores::of(&[2.0], &[2.0])?.r2.is_nan());
        Ok(())
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let longer = ClassificationScores::of(&[1, 2], &[1]);
        assert!(matches!(
            longer,
            Err(ScoresError::Lengths {
                truth: 2,
                predicted: 1
            })
        ));
        let none = RegressionScores::of(&[0.0; 0], &[]);
        assert!(matches!(none, Err(ScoresError::Empty)));
    }
}
