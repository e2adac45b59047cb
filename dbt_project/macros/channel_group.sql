{# GA4's default channel group as one expression; the first rule that fits decides, and every row has a branch.
   `source` and `medium` come in lower case and trimmed; `kind` is what the seed known_referrers says of the source.
   Definition: Google Analytics help, "Default channel group". #}
{% macro channel_group(source, medium, campaign, kind) -%}
    {%- set paid = medium ~ " ~ '^(.*cp.*|ppc|retargeting|paid.*)$'" -%}
    {%- set shopping = "(" ~ kind ~ " = 'shopping' or lower(" ~ campaign ~ ") ~ '^(.*(([^a-df-z]|^)shop|shopping).*)$')" -%}
    case
        when {{ source }} = '(direct)' and {{ medium }} in ('(none)', '(not set)') then 'Direct'
        when lower({{ campaign }}) like '%cross-network%' then 'Cross-network'
        when {{ shopping }} and {{ paid }} then 'Paid Shopping'
        when {{ kind }} = 'search' and {{ paid }} then 'Paid Search'
        when {{ kind }} = 'social' and {{ paid }} then 'Paid Social'
        when {{ kind }} = 'video' and {{ paid }} then 'Paid Video'
        when {{ medium }} in ('display', 'banner', 'expandable', 'interstitial', 'cpm') then 'Display'
        when {{ paid }} then 'Paid Other'
        when {{ shopping }} then 'Organic Shopping'
        when
            {{ kind }} = 'social'
            or {{ medium }} in ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')
            then 'Organic Social'
        when {{ kind }} = 'video' or {{ medium }} like '%video%' then 'Organic Video'
        when {{ kind }} = 'search' or {{ medium }} = 'organic' then 'Organic Search'
        when {{ medium }} in ('referral', 'app', 'link') then 'Referral'
        when
            {{ source }} in ('email', 'e-mail', 'e_mail', 'e mail')
            or {{ medium }} in ('email', 'e-mail', 'e_mail', 'e mail')
            then 'Email'
        when {{ medium }} = 'affiliate' then 'Affiliates'
        when {{ medium }} = 'audio' then 'Audio'
        when {{ source }} = 'sms' or {{ medium }} = 'sms' then 'SMS'
        when
            {{ medium }} like '%push'
            or {{ medium }} like '%mobile%'
            or {{ medium }} like '%notification%'
            or {{ source }} = 'firebase'
            then 'Mobile Push'
        else 'Unassigned'
    end
{%- endmacro %}
