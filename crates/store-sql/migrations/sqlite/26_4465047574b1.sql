-- 4465047574b1: dataset schemas of up to 16 MB.

-- Nothing: a text has no limit here.
