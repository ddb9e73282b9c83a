//! Active or deleted, and which of the two a search wants.

/// Whether an experiment, run or model is active or soft-deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LifecycleStage {
    /// In use.
    #[default]
    Active,
    /// Deleted, and restorable until garbage collection.
    Deleted,
}

impl LifecycleStage {
    /// The name in databases and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }

    /// The stage of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// Which lifecycle stages a search returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewType {
    /// Active only.
    #[default]
    ActiveOnly,
    /// Deleted only.
    DeletedOnly,
    /// Both.
    All,
}

impl ViewType {
    /// Whether something in this stage is part of the view.
    pub fn includes(self, stage: LifecycleStage) -> bool {
        match self {
            Self::ActiveOnly => stage == LifecycleStage::Active,
            Self::DeletedOnly => stage == LifecycleStage::Deleted,
            Self::All => true,
        }
    }

    /// The one stage of the view, or `None` for [`ViewType::All`].
    pub fn stage(self) -> Option<LifecycleStage> {
        match self {
            Self::ActiveOnly => Some(LifecycleStage::Active),
            Self::DeletedOnly => Some(LifecycleStage::Deleted),
            Self::All => None,
        }
    }
}
