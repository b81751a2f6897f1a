-- Commits to records with Subscriptions, still to be looked at: the versions in
-- slots from_slot up to to_slot.  Written in the commit's own transaction.
CREATE TABLE subscription_change(
    user_id   BIGINT NOT NULL,
    kind      INTEGER NOT NULL,  -- of the record
    from_slot BIGINT NOT NULL,
    to_slot   BIGINT NOT NULL,
    PRIMARY KEY (user_id, kind, from_slot)
) WITHOUT ROWID;

-- What a Subscription is still to be told, in the order of place.
CREATE TABLE subscription_notice(
    user_id         BIGINT NOT NULL,
    kind            INTEGER NOT NULL,
    subscription_id TEXT NOT NULL,
    place           BIGINT NOT NULL, -- the slot of the version that matched
    event           TEXT NOT NULL,   -- create, update, delete
    name            TEXT NOT NULL,   -- Type/id
    PRIMARY KEY (user_id, kind, subscription_id, place)
) WITHOUT ROWID;
