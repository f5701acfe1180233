-- A dead letter is evidence: its hash tells whether it still is what came with the record.

-- Bytes with their length, so that no two parts can be taken for one.
create function hash_part(bytes bytea) returns bytea
language sql immutable parallel safe
as $$
  select coalesce('\x01' || int4send(octet_length(bytes)) || bytes, '\x00')
$$;

create function hash_number(number bigint) returns bytea
language sql immutable parallel safe
as $$
  select coalesce('\x0100000008'::bytea || int8send(number), '\x00')
$$;

create function hash_headers(headers jsonb) returns bytea
language plpgsql immutable parallel safe
as $$
begin
  return (
    select string_agg(
      hash_part(coalesce(convert_to(header ->> 'key', 'UTF8'), decode(header ->> 'key_base64', 'base64')))
        || hash_part(decode(header ->> 'value_base64', 'base64')),
      '' order by place
    )
    from jsonb_array_elements(headers) with ordinality as all_headers (header, place)
  );
end
$$;

create function hash_letter(
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
) returns bytea
language sql stable parallel safe
as $$
  select sha256(
    hash_number((date_part('epoch', record_timestamp) * 1000)::bigint) -- rounds
    || hash_part(key)
    || hash_part(value)
    || int4send(jsonb_array_length(headers))
    || case when headers = '[]' then '' else hash_headers(headers) end
    || case
      when record_sha256 is null then ''
      else
        hash_number(key_size) || hash_number(value_size) || hash_number(headers_size)
        || hash_part(record_sha256)
    end
  )
$$;

-- As hash_letter, but empty for a letter that was changed into one that no record can be.
create function hash_changed_letter(
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
) returns bytea
language plpgsql stable
as $$
begin
  return hash_letter(
    record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
  );
exception
  when data_exception or feature_not_supported then
    return '';
end
$$;

-- SHA-256 of everything that a letter has from its record; empty if no record can have it. The
-- program computes the same of a record (lib/core/dead_letters/digest.ts). Most letters have no
-- headers, and nothing that an error has to be caught for: that would take five times as long.
create function letter_sha256(
  record_timestamp timestamptz,
  key bytea,
  value bytea,
  headers jsonb,
  key_size bigint,
  value_size bigint,
  headers_size bigint,
  record_sha256 bytea
) returns bytea
language sql stable
as $$
  select case
    when headers = '[]' and coalesce(isfinite(record_timestamp), true) then hash_letter(
      record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
    )
    else hash_changed_letter(
      record_timestamp, key, value, headers, key_size, value_size, headers_size, record_sha256
    )
  end
$$;
