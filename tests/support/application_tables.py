"""The product's own tables, as the reader finds them."""

DDL = """
create table if not exists users
    (id text, email text, role text, created_at timestamptz, deleted_at timestamptz);
create table if not exists creators
    (id text, user_id text, display_name text, created_at timestamptz, deleted_at timestamptz);
create table if not exists brands
    (id text, user_id text, company_name text, created_at timestamptz, deleted_at timestamptz);
create table if not exists ip_assets
    (id text, title text, type text, created_by text, created_at timestamptz, deleted_at timestamptz);
create table if not exists ip_ownerships
    (id text, ip_asset_id text, creator_id text, share_bps int, start_date date, end_date date);
create table if not exists projects
    (id text, brand_id text, name text, budget_cents bigint, created_at timestamptz);
create table if not exists licenses
    (id text, ip_asset_id text, brand_id text, project_id text, parent_license_id text, fee_cents bigint,
    status text, start_date date, end_date date, created_at timestamptz);
create table if not exists payouts
    (id text, creator_id text, amount_cents bigint, status text, created_at timestamptz);
"""
