insert into users values ('user-1', 'one@example.com', 'creator', '2026-10-01', null);
insert into creators values
    ('creator-1', 'user-1', 'Ana', '2026-10-01', null),
    ('creator-2', 'user-2', 'Ben', '2026-10-01', null),
    ('creator-3', 'user-3', 'Cem', '2026-10-01', null);
insert into brands values ('brand-1', 'user-4', 'One', '2026-10-01', null), ('brand-2', 'user-5', 'Two', '2026-10-01', null);
insert into projects values ('project-1', 'brand-1', 'Winter', 100000, '2026-10-01');
insert into ip_assets values
    ('asset-1', 'First', 'image', 'user-1', '2026-10-01', null),
    ('asset-2', 'Second', 'image', 'user-1', '2026-10-01', null),
    ('asset-3', 'Third', 'image', 'user-1', '2026-10-01', null);
insert into ip_ownerships values
    ('share-1', 'asset-1', 'creator-1', 5000, '2026-10-01', null),
    ('share-2', 'asset-1', 'creator-2', 5000, '2027-01-01', null),
    ('share-3', 'asset-2', 'creator-1', 10000, '2026-10-01', '2027-01-01');
insert into licenses values
    ('license-1', 'asset-1', 'brand-1', 'project-1', null, 5000, 'active', '2026-12-31', '2027-01-04', '2026-12-31 23:00Z'),
    ('license-2', 'asset-2', 'brand-1', 'project-1', null, 300, 'active', '2027-02-28', null, '2027-02-28 09:00Z');
create table license_adjustments
    (id text, license_id text, amount_cents bigint, reason text, effective_date date, created_at timestamptz);
insert into license_adjustments values ('refund-1', 'license-1', -300, 'refund', '2027-02-28', '2027-02-28');
