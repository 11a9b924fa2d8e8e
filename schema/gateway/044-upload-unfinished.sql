-- For MAX_UNFINISHED: an owner's unfinished uploads are counted at each creation, and
-- finished ones keep their rows for a while.
ALTER TABLE upload
    ADD KEY upload_unfinished (owner, finished_at, expires_at);
