-- The product's own tables on the golden days. Only the licenses matter: they say which asset and project an event is
-- about that names a license and nothing else. license-2 was granted without a project; license-9 does not exist.
create table users (id text, email text, role text, created_at timestamptz, deleted_at timestamptz);
create table creators (id text, user_id text, display_name text, created_at timestamptz, deleted_at timestamptz);
create table brands (id text, user_id text, company_name text, created_at timestamptz, deleted_at timestamptz);
create table ip_assets (
    id text, title text, type text, created_by text, created_at timestamptz, deleted_at timestamptz
);
create table ip_ownerships (
    id text, ip_asset_id text, creator_id text, share_bps integer, start_date date, end_date date
);
create table projects (id text, brand_id text, name text, budget_cents bigint, created_at timestamptz);
create table licenses (
    id text, ip_asset_id text, brand_id text, project_id text, parent_license_id text,
    fee_cents bigint, status text, start_date date, end_date date, created_at timestamptz
);
create table payouts (id text, creator_id text, amount_cents bigint, status text, created_at timestamptz);

insert into licenses (id, ip_asset_id, brand_id, project_id, fee_cents, status, created_at) values
    ('license-1', 'asset-1', 'brand-1', 'project-1', 5000, 'active', '2026-10-01T10:00:00Z'),
    ('license-2', 'asset-2', 'brand-1', null, 12345, 'active', '2026-09-30T10:00:00Z');
