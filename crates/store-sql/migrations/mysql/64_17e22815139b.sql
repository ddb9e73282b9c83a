-- 17e22815139b: experiment tags of any length.

alter table experiment_tags modify value mediumtext null;
