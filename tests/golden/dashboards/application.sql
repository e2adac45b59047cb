insert into users values
    ('user-1', 'one@example.com', 'creator', '2027-02-28 23:59:59.999999Z', null),
    ('user-2', 'two@example.com', 'creator', '2027-03-01 00:00Z', null),
    ('user-3', 'three@example.com', 'creator', '2027-03-02 00:00Z', null),
    ('user-4', 'four@example.com', 'brand', '2028-02-22 09:00Z', null),
    ('user-5', 'five@example.com', 'brand', '2028-02-29 23:59:59.999999Z', null),
    ('user-6', 'six@example.com', 'creator', '2028-02-01 00:00Z', '2028-02-10 00:00Z'),
    ('user-7', 'seven@example.com', 'creator', '2028-03-01 00:00Z', null);
insert into creators values
    ('creator-1', 'user-1', 'Ana', '2027-03-01 00:00Z', null),
    ('creator-2', 'user-2', 'Ben', '2027-03-02 00:00Z', null),
    ('creator-3', 'user-3', 'Cem', '2028-01-30 00:00Z', null),
    ('creator-4', 'user-6', 'Dan', '2027-12-01 00:00Z', '2028-02-10 00:00Z');
insert into brands values
    ('brand-1', 'user-4', 'One', '2027-12-31 00:00Z', null),
    ('brand-2', 'user-5', 'Two', '2027-03-01 00:00Z', null),
    ('brand-3', 'user-8', 'Three', '2028-02-01 00:00Z', '2028-02-25 00:00Z'),
    ('brand-4', 'user-9', 'Four', '2028-02-29 22:00Z', null);
insert into projects values ('project-1', 'brand-1', 'Winter', 100000, '2027-12-31 00:00Z');
insert into ip_assets values
    ('asset-1', 'Lake', 'image', 'user-1', '2027-03-01 00:00Z', null),
    ('asset-2', 'Mountain', 'image', 'user-6', '2027-12-02 00:00Z', null),
    ('asset-3', 'Beach', 'image', 'user-2', '2028-02-23 00:00Z', null),
    ('asset-4', 'Sky', 'image', 'user-3', '2028-01-30 23:59:59.999999Z', '2028-02-20 00:00Z');
insert into ip_ownerships values
    ('share-1', 'asset-1', 'creator-1', 5000, '2027-03-01', null),
    ('share-2', 'asset-1', 'creator-2', 2500, '2028-01-01', null),
    ('share-3', 'asset-1', 'creator-1', 2500, '2028-01-01', null),
    ('share-4', 'asset-2', 'creator-1', 10000, '2027-12-02', '2028-01-01'),
    ('share-5', 'asset-2', 'creator-4', 10000, '2028-01-01', null),
    ('share-6', 'asset-3', 'creator-2', 10000, '2028-02-23', null),
    ('share-7', 'asset-4', 'creator-1', 10000, '2028-01-30', null);
insert into licenses values
    ('license-1', 'asset-1', 'brand-2', null, null, 700, 'expired', '2027-03-01', '2027-12-01', '2027-03-01 12:00Z'),
    ('license-2', 'asset-1', 'brand-1', 'project-1', null, 5000, 'active', '2027-12-31', '2028-01-03', '2027-12-31 23:00Z'),
    ('license-3', 'asset-1', 'brand-2', null, 'license-1', 800, 'active', '2028-01-01', null, '2028-01-01 00:00Z'),
    ('license-4', 'asset-1', 'brand-1', null, 'license-2', 250, 'active', '2028-02-02', '2028-02-29', '2028-02-02 23:59:59Z'),
    ('license-5', 'asset-2', 'brand-3', null, null, 900, 'active', '2028-02-20', '2028-02-23', '2028-02-20 00:00Z'),
    ('license-6', 'asset-2', 'brand-1', 'project-1', null, 400, 'active', '2028-02-29', null, '2028-02-29 09:00Z'),
    ('license-7', 'asset-2', 'brand-3', null, 'license-5', 900, 'active', '2028-03-01', null, '2028-03-01 00:00Z');
create table license_adjustments
    (id text, license_id text, amount_cents bigint, reason text, effective_date date, created_at timestamptz);
insert into license_adjustments values ('refund-1', 'license-2', -300, 'refund', '2028-02-29', '2028-02-29 00:00Z');
