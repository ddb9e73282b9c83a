-- f5a4f2784254: run tags of up to 8,000 characters.

alter table tags modify value varchar(8000) null;
