-- The rights of the two sites' database roles. Run by the owner of the tables after every `flask setup`; running it again changes
-- nothing. The roles must be there, and be nobody's members:
--
--   psql -v ON_ERROR_STOP=1 -v resident=kobe_resident -v staff=kobe_staff -f deploy/grants.sql "$OWNER_DATABASE_URL"
--
-- What is not named here nobody may do: a new table is closed to the residents' site until a line says otherwise.

BEGIN;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, :"resident", :"staff";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, :"resident", :"staff";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"resident", :"staff";

-- The staff site, its commands and the worker: every row, but no table is theirs to alter, and what is written once stays.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"staff";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"staff";
REVOKE UPDATE, DELETE ON operation_log, card_history, card_note FROM :"staff";
REVOKE INSERT, UPDATE, DELETE ON alembic_version, installed FROM :"staff";

-- The residents' site: what is offered, …
GRANT SELECT ON alembic_version, counter, booking_category, desk_pool, desk_pool_category, translation TO :"resident";
GRANT SELECT, UPDATE (used, capacity) ON slot TO :"resident";
-- … the projection of cards that are ready, and no table of cards, …
GRANT SELECT ON pickup_ticket TO :"resident";
-- … the reservation that they make or hold, …
GRANT SELECT, INSERT ON reservation TO :"resident";
GRANT UPDATE (
    name, name_kana, birth_date, sex, postal_code, address, building, phone, email, message, request_detail, consent_version,
    language, intake, intake_note, booked_by, requested_date, requested_time, state, state_at, held_until, is_extended, holder,
    search_key, row_stamp
) ON reservation TO :"resident";
GRANT DELETE ON reservation TO :"resident";
GRANT USAGE ON SEQUENCE reservation_id_seq TO :"resident";
-- (what operators change for somebody who telephones, and residents where the office allows it)
GRANT UPDATE (
    booking_date, start_time, end_time, counter_id, slot_id, channel, queue_number, group_id, state_reason, state_note
) ON reservation TO :"resident";
-- … the day that they wait for, …
GRANT SELECT, INSERT, UPDATE (state, offered_until, form_token, row_stamp) ON waiting_entry TO :"resident";
GRANT USAGE ON SEQUENCE waiting_entry_id_seq TO :"resident";
-- … what they are typing, …
GRANT SELECT, INSERT, UPDATE, DELETE ON booking_draft TO :"resident";
GRANT USAGE ON SEQUENCE booking_draft_id_seq TO :"resident";
-- … the call centre's own door, …
GRANT SELECT ON operator_account, code_item TO :"resident";
GRANT UPDATE (password, link_hash, link_until, failures, last_sign_in, row_stamp) ON operator_account TO :"resident";
GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON operator_session TO :"resident";
-- … and what is told of it: written, never read.
GRANT INSERT ON outbox, operation_log TO :"resident";
GRANT USAGE ON SEQUENCE outbox_id_seq, operation_log_id_seq TO :"resident";

-- They take away what they hold, when they choose another time; never a reservation of somebody.
CREATE OR REPLACE FUNCTION keep_reservation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'a reservation is cancelled, not deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER IF EXISTS reservation_kept ON reservation;
CREATE TRIGGER reservation_kept BEFORE DELETE ON reservation FOR EACH ROW
    WHEN (current_user = :'resident' AND NOT (old.state IN ('held', 'expired') AND old.phone = ''))
    EXECUTE FUNCTION keep_reservation();

COMMIT;
