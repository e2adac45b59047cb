"""In-place migrations of tables that an earlier version of the warehouse created.

Each migration first checks whether it is needed: a statement such as "add column if not exists" would wait for running
loads at every start.
"""

from typing import Final

# A column with a constant default is added without rewriting rows. Primary keys are rebuilt once.
DDL: Final = """
do $$
declare
    place regclass;
begin
    foreach place in array array['raw.events', 'raw.attribution', 'raw.duplicate_events', 'raw.rejected_events'] loop
        if not exists (select from pg_attribute where attrelid = place and attname = 'line_position') then
            execute format('alter table %s add column line_position integer not null default 1', place);
        end if;
        if exists (
            select from pg_constraint
            where conrelid = place and contype = 'p' and pg_get_constraintdef(oid) not like '%line_position%'
        ) then
            execute format(
                'alter table %s drop constraint %I, add primary key (load_id, line_number, line_position)',
                place, (select conname from pg_constraint where conrelid = place and contype = 'p')
            );
        end if;
    end loop;
end $$;
"""
