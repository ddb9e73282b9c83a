-- b7e2c1a4d9f3: creator of a job.

alter table jobs add column creator varchar(255);
