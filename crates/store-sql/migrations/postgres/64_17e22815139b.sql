-- 17e22815139b: experiment tags of any length.

alter table experiment_tags alter column value type text;
