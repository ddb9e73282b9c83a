//! Images of steps, under the names by which MLflow's pages find them.

use bytes::Bytes;
use uuid::Uuid;

use super::ArtifactsError;

/// The folder of images of steps.
const FOLDER: &str = "images";

/// Images of a key at a step of a run, as MLflow's `log_image(image, key, step)` keeps
/// them.
///
/// ```
/// use runledger::artifacts::StepImage;
///
/// let (png, webp): (Vec<u8>, Vec<u8>) = (vec![0x89], vec![b'R']); // … from an encoder
/// let image = StepImage {
///     thumbnail: Some(webp.into()),
///     ..StepImage::png(png)
/// };
/// assert_eq!(image.png.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepImage {
    /// The image, encoded as PNG.
    pub png: Bytes,
    /// The same, smaller (MLflow: at most 256 pixels wide and high), encoded as `WebP`:
    /// MLflow's own pages show it in lists. Without it they show nothing there; those of
    /// Runledger show the image itself.
    pub thumbnail: Option<Bytes>,
}

impl StepImage {
    /// An image without a smaller one.
    ///
    /// ```
    /// use runledger::artifacts::StepImage;
    ///
    /// let image = StepImage::png(vec![0x89, b'P', b'N', b'G']);
    /// assert!(image.thumbnail.is_none());
    /// ```
    pub fn png(bytes: impl Into<Bytes>) -> Self {
        Self {
            png: bytes.into(),
            thumbnail: None,
        }
    }
}

/// The files of an image, with their paths (MLflow 3.17).
pub(super) fn files(
    image: StepImage,
    key: &str,
    step: i64,
    timestamp: i64,
) -> Result<Vec<(String, Bytes)>, ArtifactsError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-. /".contains(c);
    if key.is_empty() || !key.chars().all(is_allowed) {
        return Err(ArtifactsError::ImageKey {
            key: key.to_owned(),
        });
    }
    let key = key.replace('/', "~");
    let id = Uuid::new_v4();
    let base = format!("{FOLDER}/{key}+step+{step}+timestamp+{timestamp}+{id}");
    let mut files = vec![(format!("{base}.png"), image.png)];
    let thumbnail = image.thumbnail;
    files.extend(thumbnail.map(|bytes| (format!("{base}+compressed.webp"), bytes)));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_key_the_step_and_the_time() -> Result<(), ArtifactsError> {
        let image = StepImage {
            thumbnail: Some(Bytes::from_static(b"w")),
            ..StepImage::png(&b"p"[..])
        };
        let files = files(image, "dogs/train 1", 3, 17)?;
        let [(png, _), (webp, _)] = files.as_slice() else {
            panic!("{files:?}");
        };
        assert!(
            png.starts_with("images/dogs~train 1+step+3+timestamp+17+"),
            "{png}"
        );
        assert_eq!(webp, &png.replace(".png", "+compressed.webp"));
        Ok(())
    }

    #[test]
    fn a_key_that_is_no_name_is_refused() {
        for key in ["", "é", "a+b", "a#b"] {
            let refused = files(StepImage::png(""), key, 0, 0);
            assert!(
                matches!(refused, Err(ArtifactsError::ImageKey { .. })),
                "{key}"
            );
        }
    }
}
