//! What a server says about itself.

use crate::json::write;

/// The version that `/version` answers: the MLflow release that we follow.
///
/// Clients of MLflow 3.x read it to decide what the server can do.
pub const VERSION: &str = "3.17.2";

/// The answer to `server-info` (MLflow 3.x).
///
/// `store_type` is `SqlStore` or `FileStore`; absent where the server serves
/// artifacts only. `uploads` says whether clients of the artifact proxy may
/// send parts to the storage itself, `downloads` whether they may read there.
pub fn info(store_type: Option<&str>, uploads: bool, downloads: bool) -> Vec<u8> {
    write::object(|o| {
        match store_type {
            Some(name) => o.text("store_type", name),
            None => o.null("store_type"),
        }
        o.flag("workspaces_enabled", false);
        o.flag("trace_archival_enabled", false);
        o.flag("multipart_uploads_enabled", uploads);
        o.flag("multipart_downloads_enabled", downloads);
        o.flag("presigned_upload_run_id_supported", true);
        o.flag("presigned_upload_model_id_supported", true);
        o.object("features_enabled", |o| o.flag("gateway", false));
    })
}
