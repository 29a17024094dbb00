"""The index of words on PostgreSQL: a row for each word of each chunk, with what it weighs there.

`server` is the number of a server's index and `n` the chunk's within it, the two halves of a chunk's id: so a row of the
index takes 24 bytes. No foreign key: checking one for each of a hundred rows a chunk costs more than writing them. A
trigger takes a chunk's rows away with it, whoever deletes it and however.

A search is a function of the database: one round trip, and statements that are planned once a connection. Planned for
each search, they take longer to plan than to run (docs/adr/0016).
"""

from django.db import migrations

# Rows come and go with chunks alone and are never updated. What is read of them should come from the index, so its
# pages are marked as visible sooner than by default.
MAKE = """
CREATE TABLE indexing_term (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token varchar(100) COLLATE "C" NOT NULL UNIQUE,
    documents integer
);
CREATE TABLE indexing_posting (
    term integer NOT NULL,
    server integer NOT NULL,
    n integer NOT NULL,
    weight real NOT NULL
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.2
);
CREATE UNIQUE INDEX indexing_posting_by_term ON indexing_posting (term, server, n) INCLUDE (weight);
CREATE INDEX indexing_posting_by_chunk ON indexing_posting (server, n);

CREATE FUNCTION indexing_chunks_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM indexing_posting p USING gone
        WHERE p.server = (gone.id >> 32)::integer AND p.n = (gone.id & 4294967295)::integer;
    RETURN NULL;
END
$$;
CREATE FUNCTION indexing_all_chunks_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE indexing_posting;
    UPDATE indexing_term SET documents = NULL WHERE documents IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER indexing_chunks_went AFTER DELETE ON indexing_chunk
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION indexing_chunks_went();
CREATE TRIGGER indexing_all_chunks_went AFTER TRUNCATE ON indexing_chunk
    FOR EACH STATEMENT EXECUTE FUNCTION indexing_all_chunks_went();

-- What is known of these terms. Those that came since all were counted last are counted now.
CREATE FUNCTION indexing_rarities(tokens text[]) RETURNS TABLE (term integer, token text, documents bigint, rarity float8)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    total float8 := (SELECT t.documents FROM indexing_term t WHERE t.token = '');
BEGIN
    IF total IS NULL THEN
        total := (SELECT count(*) FROM indexing_chunk);
    END IF;
    RETURN QUERY
        SELECT known.id, known.name, known.counted,
            CASE WHEN known.counted < total / 2 THEN ln((total - known.counted + 0.5) / (known.counted + 0.5)) ELSE 1e-6 END
        FROM (
            SELECT t.id, t.token::text AS name,
                coalesce(t.documents, (SELECT count(*) FROM indexing_posting p WHERE p.term = t.id)) AS counted
            FROM indexing_term t WHERE t.token = ANY (tokens)
        ) known
        WHERE known.counted > 0;
END
$$;

-- The best chunks of these servers' (of all, if none is named) by the sum of their terms' weights.
CREATE FUNCTION indexing_sums(terms integer[], factors float8[], servers integer[], most integer, beyond integer)
RETURNS TABLE (server integer, n integer, score float8) LANGUAGE plpgsql STABLE AS $$
DECLARE
    one integer := servers[1];
BEGIN
    IF cardinality(servers) = 1 THEN
        RETURN QUERY
            SELECT one, p.n, sum(p.weight * t.factor) AS total
            FROM unnest(terms, factors) AS t(id, factor)
            JOIN indexing_posting p ON p.term = t.id AND p.server = one
            GROUP BY p.n ORDER BY total DESC, p.n LIMIT most OFFSET beyond;
    ELSIF cardinality(servers) > 1 THEN
        RETURN QUERY
            SELECT p.server, p.n, sum(p.weight * t.factor) AS total
            FROM unnest(terms, factors) AS t(id, factor)
            JOIN indexing_posting p ON p.term = t.id AND p.server = ANY (servers)
            GROUP BY p.server, p.n ORDER BY total DESC, p.server, p.n LIMIT most OFFSET beyond;
    ELSE
        RETURN QUERY
            SELECT p.server, p.n, sum(p.weight * t.factor) AS total
            FROM unnest(terms, factors) AS t(id, factor)
            JOIN indexing_posting p ON p.term = t.id
            GROUP BY p.server, p.n ORDER BY total DESC, p.server, p.n LIMIT most OFFSET beyond;
    END IF;
END
$$;

-- The best `most` chunks after the first `beyond`. Terms are taken rarest first until `candidates` postings would be
-- read; the best of what these find are weighed by all terms.
CREATE FUNCTION indexing_find(
    tokens text[], servers integer[], most integer, beyond integer, candidates integer, weighed integer
) RETURNS TABLE (chunk bigint, score float8) LANGUAGE plpgsql STABLE
SET jit = off
SET max_parallel_workers_per_gather = 0
SET plan_cache_mode = force_generic_plan
-- Estimates of a table that grows by the minute mislead: what is wanted is always the index, once for each term.
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
AS $$
DECLARE
    size bigint;
    terms integer[];
    factors float8[];
    rare integer;
    all_terms integer;
BEGIN
    SELECT sum(s.last_chunk) INTO size FROM indexing_serverindex s WHERE s.number = ANY (servers);
    SELECT array_agg(r.id ORDER BY r.reads, r.id), array_agg(r.factor ORDER BY r.reads, r.id),
        count(*), count(*) FILTER (WHERE r.read_before = 0 OR r.read_before + r.reads <= candidates)
    INTO terms, factors, all_terms, rare
    FROM (
        SELECT k.term AS id, sum(k.rarity) AS factor, least(k.documents, size) AS reads,
            coalesce(sum(least(k.documents, size)) OVER (
                ORDER BY least(k.documents, size), k.term ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS read_before
        FROM indexing_rarities(tokens) k JOIN unnest(tokens) AS q(token) ON q.token = k.token
        GROUP BY k.term, k.documents
    ) r;
    IF rare < all_terms THEN
        RETURN QUERY
            WITH best AS (
                SELECT * FROM indexing_sums(terms[:rare], factors[:rare], servers, greatest(weighed, 2 * (most + beyond)), 0)
            ), common AS (
                SELECT b.server, b.n, sum(p.weight * t.factor) AS more
                FROM best b CROSS JOIN unnest(terms[rare + 1:], factors[rare + 1:]) AS t(id, factor)
                JOIN indexing_posting p ON p.term = t.id AND p.server = b.server AND p.n = b.n
                GROUP BY b.server, b.n
            )
            SELECT (b.server::bigint << 32) | b.n, b.score + coalesce(c.more, 0) AS total
            FROM best b LEFT JOIN common c ON c.server = b.server AND c.n = b.n
            WHERE (SELECT count(*) FROM best) >= most + beyond
            ORDER BY total DESC, b.server, b.n LIMIT most OFFSET beyond;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    -- Also where the rarer terms found too little.
    RETURN QUERY SELECT (s.server::bigint << 32) | s.n, s.score
        FROM indexing_sums(terms, factors, servers, most, beyond) s;
END
$$;
"""
DROP = """
DROP FUNCTION indexing_find(text[], integer[], integer, integer, integer, integer);
DROP FUNCTION indexing_sums(integer[], float8[], integer[], integer, integer);
DROP FUNCTION indexing_rarities(text[]);
DROP TRIGGER indexing_chunks_went ON indexing_chunk;
DROP TRIGGER indexing_all_chunks_went ON indexing_chunk;
DROP FUNCTION indexing_chunks_went();
DROP FUNCTION indexing_all_chunks_went();
DROP TABLE indexing_posting;
DROP TABLE indexing_term;
"""


def make_postings(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(MAKE, params=None)


def drop_postings(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP, params=None)


class Migration(migrations.Migration):

    dependencies = [('indexing', '0002_fts5')]

    operations = [migrations.RunPython(make_postings, drop_postings)]
