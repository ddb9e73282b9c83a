-- c3d6457b6d8a: details of a job's status.

alter table jobs add column status_details json;
