-- A refresh asks only for what changed: since when, by the system's clock.
ALTER TABLE ingest_run ADD COLUMN whole_ms BIGINT NOT NULL DEFAULT 0; -- the last run that asked for everything began
ALTER TABLE ingest_type ADD COLUMN since_ms BIGINT NOT NULL DEFAULT 0; -- 0: all of the type was asked for
ALTER TABLE ingest_type ADD COLUMN complete_ms BIGINT NOT NULL DEFAULT 0; -- nothing before it is missing; 0: not known
