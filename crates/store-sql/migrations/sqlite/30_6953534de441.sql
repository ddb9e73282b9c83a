-- 6953534de441: step of an input.

alter table inputs add column step BIGINT default '0' not null;
