"""every table"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ab_group',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('label', sa.String(length=150), nullable=True),
    sa.Column('description', sa.String(length=512), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_group')),
    sa.UniqueConstraint('name', name=op.f('uq_ab_group_name'))
    )
    op.create_table('ab_permission',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_permission')),
    sa.UniqueConstraint('name', name=op.f('uq_ab_permission_name'))
    )
    op.create_table('ab_register_user',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_name', sa.String(length=64), nullable=False),
    sa.Column('last_name', sa.String(length=64), nullable=False),
    sa.Column('username', sa.String(length=128), nullable=False),
    sa.Column('password', sa.String(length=256), nullable=True),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('registration_date', sa.DateTime(), nullable=True),
    sa.Column('registration_hash', sa.String(length=256), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_register_user')),
    sa.UniqueConstraint('email', name=op.f('uq_ab_register_user_email')),
    sa.UniqueConstraint('username', name=op.f('uq_ab_register_user_username'))
    )
    op.create_table('ab_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_role')),
    sa.UniqueConstraint('name', name=op.f('uq_ab_role_name'))
    )
    op.create_table('ab_user',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_name', sa.String(length=64), nullable=False),
    sa.Column('last_name', sa.String(length=64), nullable=False),
    sa.Column('username', sa.String(length=128), nullable=False),
    sa.Column('password', sa.String(length=256), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=True),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('last_login', sa.DateTime(), nullable=True),
    sa.Column('login_count', sa.Integer(), nullable=True),
    sa.Column('fail_login_count', sa.Integer(), nullable=True),
    sa.Column('created_on', sa.DateTime(), nullable=True),
    sa.Column('changed_on', sa.DateTime(), nullable=True),
    sa.Column('created_by_fk', sa.Integer(), nullable=True),
    sa.Column('changed_by_fk', sa.Integer(), nullable=True),
    sa.Column('department', sa.String(length=100), server_default='', nullable=False),
    sa.Column('employer', sa.Enum('city', 'contractor', name='employer', native_enum=False, create_constraint=True, length=30), server_default='city', nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('must_change_password', sa.Boolean(), server_default='0', nullable=False),
    sa.Column('row_stamp', sa.Integer(), server_default='1', nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['changed_by_fk'], ['ab_user.id'], name=op.f('fk_ab_user_changed_by_fk')),
    sa.ForeignKeyConstraint(['created_by_fk'], ['ab_user.id'], name=op.f('fk_ab_user_created_by_fk')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_user')),
    sa.UniqueConstraint('email', name=op.f('uq_ab_user_email')),
    sa.UniqueConstraint('username', name=op.f('uq_ab_user_username'))
    )
    with op.batch_alter_table('ab_user', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ab_user_active_id'), ['active', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ab_user_employer_id'), ['employer', 'id'], unique=False)

    op.create_table('ab_view_menu',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=250), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_view_menu')),
    sa.UniqueConstraint('name', name=op.f('uq_ab_view_menu_name'))
    )
    op.create_table('booking_category',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=30), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('purpose', sa.Enum('pickup', 'apply', 'reissue', 'certificate', name='visit_purpose', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('summary', sa.String(length=200), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('max_party', sa.Integer(), nullable=False),
    sa.Column('earliest_days', sa.Integer(), nullable=False),
    sa.Column('latest_days', sa.Integer(), nullable=False),
    sa.Column('required_items', sa.Text(), nullable=False),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('sort_order', sa.Integer(), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint('earliest_days >= latest_days AND latest_days >= 0', name=op.f('ck_booking_category_window')),
    sa.CheckConstraint('max_party BETWEEN 1 AND 10', name=op.f('ck_booking_category_party_limit')),
    sa.CheckConstraint('minutes BETWEEN 5 AND 240', name=op.f('ck_booking_category_minutes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking_category')),
    sa.UniqueConstraint('code', name=op.f('uq_booking_category_code'))
    )
    with op.batch_alter_table('booking_category', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_booking_category_is_open_sort_order_id'), ['is_open', 'sort_order', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_booking_category_purpose_sort_order_id'), ['purpose', 'sort_order', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_booking_category_sort_order_id'), ['sort_order', 'id'], unique=False)

    op.create_table('booking_draft',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('entry', sa.Text(), nullable=False),
    sa.Column('step', sa.Enum('typed', 'faulty', 'checked', 'unconsented', name='draft_step', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('told', sa.String(length=300), nullable=False),
    sa.Column('kept_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(entry) <= 20000', name=op.f('ck_booking_draft_entry_length')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking_draft')),
    sa.UniqueConstraint('key', name=op.f('uq_booking_draft_key'))
    )
    with op.batch_alter_table('booking_draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_booking_draft_kept_at'), ['kept_at'], unique=False)

    op.create_table('code_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('list_name', sa.String(length=30), nullable=False),
    sa.Column('value', sa.String(length=30), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('number', sa.String(length=10), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('sort_order', sa.Integer(), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_code_item')),
    sa.UniqueConstraint('list_name', 'value', name=op.f('uq_code_item_list_name_value'))
    )
    with op.batch_alter_table('code_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_code_item_is_active_list_name_sort_order_id'), ['is_active', 'list_name', 'sort_order', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_code_item_list_name_sort_order_id'), ['list_name', 'sort_order', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_code_item_sort_order_id'), ['sort_order', 'id'], unique=False)

    op.create_table('counter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('postal_code', sa.String(length=7), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.Column('phone', sa.String(length=11), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('sort_order', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_counter')),
    sa.UniqueConstraint('code', name=op.f('uq_counter_code'))
    )
    with op.batch_alter_table('counter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_counter_is_open_sort_order_id'), ['is_open', 'sort_order', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_counter_sort_order_id'), ['sort_order', 'id'], unique=False)

    op.create_table('fee_rule',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('issue_kind', sa.String(length=30), nullable=False),
    sa.Column('registration_reason', sa.String(length=30), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount IN (0, 200, 800, 1000, 1800, 2000)', name=op.f('ck_fee_rule_known_amount')),
    sa.CheckConstraint('valid_until IS NULL OR valid_from <= valid_until', name=op.f('ck_fee_rule_from_before_until')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fee_rule')),
    sa.UniqueConstraint('valid_from', 'issue_kind', 'registration_reason', name=op.f('uq_fee_rule_valid_from_issue_kind_registration_reason'))
    )
    with op.batch_alter_table('fee_rule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_fee_rule_valid_from_id'), ['valid_from', 'id'], unique=False)

    op.create_table('installed',
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('installed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_installed'))
    )
    op.create_table('operation_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('user_name', sa.String(length=129), nullable=False),
    sa.Column('department', sa.String(length=100), nullable=False),
    sa.Column('action_class', sa.Enum('read', 'search', 'add', 'edit', 'delete', 'export', 'print', 'auth', 'setting', name='action_class', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('action_code', sa.String(length=60), nullable=False),
    sa.Column('action_name', sa.String(length=100), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('my_number_access', sa.Enum('none', 'refused', name='my_number_access', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('application_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('client_info', sa.String(length=300), nullable=False),
    sa.Column('request_id', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operation_log'))
    )
    with op.batch_alter_table('operation_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_operation_log_action_class_started_at_id'), ['action_class', 'started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_operation_log_action_code_started_at_id'), ['action_code', 'started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_operation_log_application_id_started_at_id'), ['application_id', 'started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_operation_log_my_number_access_started_at_id'), ['my_number_access', 'started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_operation_log_started_at_id'), ['started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_operation_log_user_id_started_at_id'), ['user_id', 'started_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_operation_log_user_name_started_at_id'), ['user_name', 'started_at', 'id'], unique=False)

    op.create_table('retention_rule',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('document_class', sa.String(length=30), nullable=False),
    sa.Column('basis', sa.Enum('receipt', 'fiscal_year', name='retention_basis', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('years', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.CheckConstraint('years BETWEEN 1 AND 99', name=op.f('ck_retention_rule_years')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention_rule')),
    sa.UniqueConstraint('document_class', 'valid_from', name=op.f('uq_retention_rule_document_class_valid_from'))
    )
    with op.batch_alter_table('retention_rule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_retention_rule_valid_from_id'), ['valid_from', 'id'], unique=False)

    op.create_table('sent_form',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('row_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sent_form'))
    )
    with op.batch_alter_table('sent_form', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sent_form_sent_at'), ['sent_at'], unique=False)

    op.create_table('ab_api_key',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=256), nullable=False),
    sa.Column('key_hash', sa.String(length=256), nullable=False),
    sa.Column('lookup_hash', sa.String(length=256), nullable=True),
    sa.Column('key_prefix', sa.String(length=16), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('scopes', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_on', sa.DateTime(), nullable=True),
    sa.Column('expires_on', sa.DateTime(), nullable=True),
    sa.Column('revoked_on', sa.DateTime(), nullable=True),
    sa.Column('last_used_on', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_ab_api_key_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_api_key')),
    sa.UniqueConstraint('lookup_hash', name=op.f('uq_ab_api_key_lookup_hash')),
    sa.UniqueConstraint('uuid', name=op.f('uq_ab_api_key_uuid'))
    )
    with op.batch_alter_table('ab_api_key', schema=None) as batch_op:
        batch_op.create_index('idx_api_key_lookup_hash', ['lookup_hash'], unique=True)
        batch_op.create_index('idx_api_key_prefix', ['key_prefix'], unique=False)
        batch_op.create_index('idx_api_key_user_id', ['user_id'], unique=False)

    op.create_table('ab_group_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['group_id'], ['ab_group.id'], name=op.f('fk_ab_group_role_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role_id'], ['ab_role.id'], name=op.f('fk_ab_group_role_role_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_group_role')),
    sa.UniqueConstraint('group_id', 'role_id', name=op.f('uq_ab_group_role_group_id_role_id'))
    )
    with op.batch_alter_table('ab_group_role', schema=None) as batch_op:
        batch_op.create_index('idx_group_id', ['group_id'], unique=False)
        batch_op.create_index('idx_group_role_id', ['role_id'], unique=False)

    op.create_table('ab_permission_view',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('permission_id', sa.Integer(), nullable=False),
    sa.Column('view_menu_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['permission_id'], ['ab_permission.id'], name=op.f('fk_ab_permission_view_permission_id')),
    sa.ForeignKeyConstraint(['view_menu_id'], ['ab_view_menu.id'], name=op.f('fk_ab_permission_view_view_menu_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_permission_view')),
    sa.UniqueConstraint('permission_id', 'view_menu_id', name=op.f('uq_ab_permission_view_permission_id_view_menu_id'))
    )
    with op.batch_alter_table('ab_permission_view', schema=None) as batch_op:
        batch_op.create_index('idx_permission_id', ['permission_id'], unique=False)
        batch_op.create_index('idx_view_menu_id', ['view_menu_id'], unique=False)

    op.create_table('ab_user_group',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['group_id'], ['ab_group.id'], name=op.f('fk_ab_user_group_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_ab_user_group_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_user_group')),
    sa.UniqueConstraint('user_id', 'group_id', name=op.f('uq_ab_user_group_user_id_group_id'))
    )
    with op.batch_alter_table('ab_user_group', schema=None) as batch_op:
        batch_op.create_index('idx_user_group_id', ['group_id'], unique=False)
        batch_op.create_index('idx_user_id', ['user_id'], unique=False)

    op.create_table('ab_user_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['role_id'], ['ab_role.id'], name=op.f('fk_ab_user_role_role_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_ab_user_role_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_user_role')),
    sa.UniqueConstraint('user_id', 'role_id', name=op.f('uq_ab_user_role_user_id_role_id'))
    )
    op.create_table('card',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('application_no', sa.String(length=23), nullable=True),
    sa.Column('notice_no', sa.String(length=9), nullable=True),
    sa.Column('state', sa.Enum('applied', 'arrived', 'preset', 'notified', 'mailed', 'returned', 'reminded', 'issued', 'cancelled', 'revoked', 'collected', 'disposed', name='card_state', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('name_kana', sa.String(length=200), nullable=False),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('birth_date_text', sa.String(length=40), nullable=False),
    sa.Column('sex', sa.Enum('male', 'female', 'unknown', 'not_applicable', name='sex', native_enum=False, create_constraint=True, length=30), nullable=True),
    sa.Column('postal_code', sa.String(length=7), nullable=False),
    sa.Column('address', sa.String(length=300), nullable=False),
    sa.Column('application_date', sa.Date(), nullable=False),
    sa.Column('application_channel', sa.Enum('post', 'smartphone', 'pc', 'photo_booth', 'counter', 'proxy_online', 'proxy_post', name='application_channel', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('visit_type', sa.Enum('at_issue', 'at_application', name='visit_type', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('issue_kind', sa.String(length=30), nullable=False),
    sa.Column('registration_reason', sa.String(length=30), nullable=False),
    sa.Column('handwritten_check', sa.Boolean(), nullable=False),
    sa.Column('reissue_requested', sa.Boolean(), nullable=False),
    sa.Column('proxy_posted_date', sa.Date(), nullable=True),
    sa.Column('shelf', sa.String(length=30), nullable=False),
    sa.Column('issuing_municipality', sa.String(length=6), nullable=False),
    sa.Column('manufacturing_no', sa.String(length=16), nullable=True),
    sa.Column('card_status', sa.String(length=30), nullable=False),
    sa.Column('braille_cert_code', sa.Integer(), nullable=True),
    sa.Column('card_expiry', sa.Date(), nullable=True),
    sa.Column('auth_cert_expiry', sa.Date(), nullable=True),
    sa.Column('sign_cert_expiry', sa.Date(), nullable=True),
    sa.Column('auth_cert_serial', sa.String(length=40), nullable=True),
    sa.Column('managed_from', sa.Date(), nullable=True),
    sa.Column('preset_done', sa.Boolean(), nullable=False),
    sa.Column('preset_date', sa.Date(), nullable=True),
    sa.Column('substitute_char_used', sa.Boolean(), nullable=False),
    sa.Column('notice_sent_date', sa.Date(), nullable=True),
    sa.Column('reminder_sent_date', sa.Date(), nullable=True),
    sa.Column('issued_date', sa.Date(), nullable=True),
    sa.Column('issue_done', sa.Boolean(), nullable=False),
    sa.Column('agent_issue', sa.Enum('self', 'legal', 'voluntary', name='agent_issue', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('issue_cancelled', sa.Boolean(), nullable=False),
    sa.Column('revocation_done', sa.Boolean(), nullable=False),
    sa.Column('collected_date', sa.Date(), nullable=True),
    sa.Column('disposed_date', sa.Date(), nullable=True),
    sa.Column('disposal_reason', sa.Enum('unclaimed', 'cancelled', 'death', 'moved_out', 'defect', 'surrendered', 'revoked', 'expired', 'other', name='disposal_reason', native_enum=False, create_constraint=True, length=30), nullable=True),
    sa.Column('disposal_note', sa.String(length=200), nullable=False),
    sa.Column('disposal_done', sa.Boolean(), nullable=False),
    sa.Column('fee_flag', sa.Enum('free', 'paid', name='fee_flag', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('fee_amount', sa.Integer(), nullable=False),
    sa.Column('fee_status', sa.Enum('exempt', 'due', 'collected', 'waived', 'refunded', name='fee_status', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('fee_collected_date', sa.Date(), nullable=True),
    sa.Column('memo', sa.String(length=1000), nullable=False),
    sa.Column('application_site_id', sa.Integer(), nullable=False),
    sa.Column('issue_site_id', sa.Integer(), nullable=False),
    sa.Column('storage_site_id', sa.Integer(), nullable=True),
    sa.Column('transit_to_id', sa.Integer(), nullable=True),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("application_no IS NULL OR (length(application_no) = 23 AND rtrim(application_no, '0123456789') = '')", name=op.f('ck_card_application_no')),
    sa.CheckConstraint("auth_cert_serial IS NULL OR (auth_cert_serial <> '' AND rtrim(auth_cert_serial, '0123456789ABCDEF') = '')", name=op.f('ck_card_auth_cert_serial')),
    sa.CheckConstraint("fee_collected_date IS NULL OR fee_flag = 'paid'", name=op.f('ck_card_collected_only_if_paid')),
    sa.CheckConstraint("length(issuing_municipality) = 6 AND rtrim(issuing_municipality, '0123456789') = ''", name=op.f('ck_card_issuing_municipality')),
    sa.CheckConstraint("manufacturing_no IS NULL OR (length(manufacturing_no) = 16 AND rtrim(manufacturing_no, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ') = '')", name=op.f('ck_card_manufacturing_no')),
    sa.CheckConstraint("notice_no IS NULL OR (length(notice_no) = 9 AND rtrim(substr(notice_no, 1, 3), '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ') = '' AND rtrim(substr(notice_no, 4), '0123456789') = '')", name=op.f('ck_card_notice_no')),
    sa.CheckConstraint('NOT (issue_done AND issue_cancelled)', name=op.f('ck_card_done_or_cancelled')),
    sa.CheckConstraint('braille_cert_code IS NULL OR braille_cert_code BETWEEN 0 AND 7', name=op.f('ck_card_braille_cert_code')),
    sa.CheckConstraint('disposed_date IS NULL OR collected_date IS NULL OR collected_date <= disposed_date', name=op.f('ck_card_collected_before_disposed')),
    sa.CheckConstraint('fee_amount IN (0, 200, 800, 1000, 1800, 2000)', name=op.f('ck_card_known_fee')),
    sa.CheckConstraint('issued_date IS NULL OR card_expiry IS NULL OR issued_date <= card_expiry', name=op.f('ck_card_issue_before_expiry')),
    sa.CheckConstraint('issued_date IS NULL OR preset_date IS NULL OR issued_date >= preset_date', name=op.f('ck_card_issue_after_preset')),
    sa.CheckConstraint('notice_sent_date IS NULL OR preset_date IS NULL OR notice_sent_date >= preset_date', name=op.f('ck_card_notice_after_preset')),
    sa.CheckConstraint('preset_date IS NULL OR managed_from IS NULL OR preset_date >= managed_from', name=op.f('ck_card_preset_after_arrival')),
    sa.ForeignKeyConstraint(['application_site_id'], ['counter.id'], name=op.f('fk_card_application_site_id')),
    sa.ForeignKeyConstraint(['issue_site_id'], ['counter.id'], name=op.f('fk_card_issue_site_id')),
    sa.ForeignKeyConstraint(['storage_site_id'], ['counter.id'], name=op.f('fk_card_storage_site_id')),
    sa.ForeignKeyConstraint(['transit_to_id'], ['counter.id'], name=op.f('fk_card_transit_to_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card')),
    sa.UniqueConstraint('application_no', name=op.f('uq_card_application_no'))
    )
    with op.batch_alter_table('card', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_card_application_date_id'), ['application_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_application_site_id_id'), ['application_site_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_issue_site_id_application_date_id'), ['issue_site_id', 'application_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_issue_site_id_storage_site_id_transit_to_id_id'), ['issue_site_id', 'storage_site_id', 'transit_to_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_issued_date_id'), ['issued_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_managed_from_id'), ['managed_from', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_manufacturing_no_id'), ['manufacturing_no', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_notice_no'), ['notice_no'], unique=True, sqlite_where=sa.text('NOT issue_done AND NOT issue_cancelled'), postgresql_where=sa.text('NOT issue_done AND NOT issue_cancelled'))
        batch_op.create_index(batch_op.f('ix_card_notice_no_id'), ['notice_no', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_notice_sent_date_id'), ['notice_sent_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_state_application_date_id'), ['state', 'application_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_state_id'), ['state', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_storage_site_id_id'), ['storage_site_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_transit_to_id_id'), ['transit_to_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_visit_type_id'), ['visit_type', 'id'], unique=False)

    op.create_table('counter_closure',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('reason', sa.String(length=100), nullable=False),
    sa.Column('counter_id', sa.Integer(), nullable=True),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.CheckConstraint('starts_on <= ends_on', name=op.f('ck_counter_closure_starts_before_ends')),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_counter_closure_counter_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_counter_closure'))
    )
    with op.batch_alter_table('counter_closure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_counter_closure_counter_id_starts_on_id'), ['counter_id', 'starts_on', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_counter_closure_starts_on_id'), ['starts_on', 'id'], unique=False)

    op.create_table('counter_hours',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('weekday', sa.Enum('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', name='weekday', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('opens', sa.Time(), nullable=False),
    sa.Column('closes', sa.Time(), nullable=False),
    sa.Column('break_start', sa.Time(), nullable=True),
    sa.Column('break_end', sa.Time(), nullable=True),
    sa.Column('counter_id', sa.Integer(), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.CheckConstraint('(break_start IS NULL) = (break_end IS NULL)', name=op.f('ck_counter_hours_break_both_or_neither')),
    sa.CheckConstraint('break_start IS NULL OR (opens <= break_start AND break_start < break_end AND break_end <= closes)', name=op.f('ck_counter_hours_break_inside')),
    sa.CheckConstraint('opens < closes', name=op.f('ck_counter_hours_opens_before_closes')),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_counter_hours_counter_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_counter_hours')),
    sa.UniqueConstraint('counter_id', 'weekday', name=op.f('uq_counter_hours_counter_id_weekday'))
    )
    with op.batch_alter_table('counter_hours', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_counter_hours_counter_id_id'), ['counter_id', 'id'], unique=False)

    op.create_table('desk_pool',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('interval_minutes', sa.Integer(), nullable=False),
    sa.Column('web_places', sa.Integer(), nullable=False),
    sa.Column('callcenter_places', sa.Integer(), nullable=False),
    sa.Column('counter_places', sa.Integer(), nullable=False),
    sa.Column('reserve_places', sa.Integer(), nullable=False),
    sa.Column('counter_id', sa.Integer(), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint('interval_minutes BETWEEN 5 AND 240', name=op.f('ck_desk_pool_interval')),
    sa.CheckConstraint('web_places >= 0 AND callcenter_places >= 0 AND counter_places >= 0 AND reserve_places >= 0', name=op.f('ck_desk_pool_places_not_negative')),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_desk_pool_counter_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_desk_pool')),
    sa.UniqueConstraint('counter_id', 'name', name=op.f('uq_desk_pool_counter_id_name'))
    )
    with op.batch_alter_table('desk_pool', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_desk_pool_counter_id_id'), ['counter_id', 'id'], unique=False)

    op.create_table('import_draft',
    sa.Column('id', sa.String(length=43), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('table_name', sa.String(length=60), nullable=False),
    sa.Column('told', sa.JSON(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_import_draft_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_draft'))
    )
    with op.batch_alter_table('import_draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_draft_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_import_draft_user_id'), ['user_id'], unique=False)

    op.create_table('staff_counter',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('counter_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_staff_counter_counter_id')),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_staff_counter_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'counter_id', name=op.f('pk_staff_counter'))
    )
    with op.batch_alter_table('staff_counter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_counter_counter_id'), ['counter_id'], unique=False)

    op.create_table('web_session',
    sa.Column('id_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('password_stamp', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_web_session_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id_hash', name=op.f('pk_web_session'))
    )
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_web_session_seen_at'), ['seen_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_web_session_user_id'), ['user_id'], unique=False)

    op.create_table('ab_permission_view_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('permission_view_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['permission_view_id'], ['ab_permission_view.id'], name=op.f('fk_ab_permission_view_role_permission_view_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role_id'], ['ab_role.id'], name=op.f('fk_ab_permission_view_role_role_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ab_permission_view_role')),
    sa.UniqueConstraint('permission_view_id', 'role_id', name=op.f('uq_ab_permission_view_role_permission_view_id_role_id'))
    )
    with op.batch_alter_table('ab_permission_view_role', schema=None) as batch_op:
        batch_op.create_index('idx_permission_view_id', ['permission_view_id'], unique=False)
        batch_op.create_index('idx_role_id', ['role_id'], unique=False)

    op.create_table('card_history',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('event', sa.JSON(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('card_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_card_history_card_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_history'))
    )
    with op.batch_alter_table('card_history', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_card_history_card_id_id'), ['card_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_history_updated_at_id'), ['updated_at', 'id'], unique=False)

    op.create_table('card_note',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment', sa.String(length=1000), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('card_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_card_note_card_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_note'))
    )
    with op.batch_alter_table('card_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_card_note_card_id_id'), ['card_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_note_updated_at_id'), ['updated_at', 'id'], unique=False)

    op.create_table('desk_pool_category',
    sa.Column('desk_pool_id', sa.Integer(), nullable=False),
    sa.Column('booking_category_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['booking_category_id'], ['booking_category.id'], name=op.f('fk_desk_pool_category_booking_category_id')),
    sa.ForeignKeyConstraint(['desk_pool_id'], ['desk_pool.id'], name=op.f('fk_desk_pool_category_desk_pool_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('desk_pool_id', 'booking_category_id', name=op.f('pk_desk_pool_category'))
    )
    with op.batch_alter_table('desk_pool_category', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_desk_pool_category_booking_category_id'), ['booking_category_id'], unique=False)

    op.create_table('document',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('partition_year', sa.Integer(), nullable=False),
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('business_class', sa.String(length=30), nullable=False),
    sa.Column('document_class', sa.String(length=30), nullable=False),
    sa.Column('document_no', sa.String(length=30), nullable=False),
    sa.Column('name_kanji', sa.String(length=200), nullable=False),
    sa.Column('registered_date', sa.Date(), nullable=False),
    sa.Column('registered_time', sa.Time(), nullable=False),
    sa.Column('registered_by_id', sa.String(length=64), nullable=False),
    sa.Column('registered_by_name', sa.String(length=129), nullable=False),
    sa.Column('updated_date', sa.Date(), nullable=False),
    sa.Column('updated_time', sa.Time(), nullable=False),
    sa.Column('updated_by_id', sa.String(length=64), nullable=False),
    sa.Column('updated_by_name', sa.String(length=129), nullable=False),
    sa.Column('row_timestamp', sa.DateTime(timezone=True), nullable=False),
    sa.Column('card_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint('fiscal_year BETWEEN 2015 AND 2100', name=op.f('ck_document_fiscal_year')),
    sa.CheckConstraint('partition_year BETWEEN 2015 AND 2100', name=op.f('ck_document_partition_year')),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_document_card_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document'))
    )
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_document_card_id_id'), ['card_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_document_document_class_id'), ['document_class', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_document_document_no_id'), ['document_no', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_document_fiscal_year_id'), ['fiscal_year', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_document_registered_date_id'), ['registered_date', 'id'], unique=False)

    op.create_table('shipment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('item_kind', sa.Enum('notice', 'card_honnin', 'card_kani', 'reminder', 'other', name='item_kind', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('sent_date', sa.Date(), nullable=False),
    sa.Column('postal_code', sa.String(length=7), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('address', sa.String(length=300), nullable=False),
    sa.Column('tracking_no', sa.String(length=12), nullable=True),
    sa.Column('attempt_no', sa.Integer(), nullable=False),
    sa.Column('returned_date', sa.Date(), nullable=True),
    sa.Column('return_reason', sa.Enum('unknown_address', 'kept_too_long', 'moved', 'refused', 'incomplete', 'death', 'other', name='return_reason', native_enum=False, create_constraint=True, length=30), nullable=True),
    sa.Column('gaiji_flag', sa.Boolean(), nullable=False),
    sa.Column('memo', sa.String(length=1000), nullable=False),
    sa.Column('card_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("length(postal_code) = 7 AND rtrim(postal_code, '0123456789') = ''", name=op.f('ck_shipment_postal_code')),
    sa.CheckConstraint("tracking_no IS NULL OR (length(tracking_no) IN (11, 12) AND rtrim(tracking_no, '0123456789') = '')", name=op.f('ck_shipment_tracking_no')),
    sa.CheckConstraint('(returned_date IS NULL) = (return_reason IS NULL)', name=op.f('ck_shipment_return_both_or_neither')),
    sa.CheckConstraint('attempt_no >= 1', name=op.f('ck_shipment_attempt_positive')),
    sa.CheckConstraint('returned_date IS NULL OR returned_date >= sent_date', name=op.f('ck_shipment_returned_after_sent')),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_shipment_card_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shipment'))
    )
    with op.batch_alter_table('shipment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_shipment_card_id_id'), ['card_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shipment_item_kind_id'), ['item_kind', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shipment_return_reason_id'), ['return_reason', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shipment_returned_date_id'), ['returned_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shipment_sent_date_id'), ['sent_date', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_shipment_tracking_no_id'), ['tracking_no', 'id'], unique=False)

    op.create_table('slot',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('slot_date', sa.Date(), nullable=False),
    sa.Column('start_time', sa.Time(), nullable=False),
    sa.Column('end_time', sa.Time(), nullable=False),
    sa.Column('channel', sa.Enum('web', 'callcenter', 'counter', 'reserve', name='channel', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.Column('wanted', sa.Integer(), nullable=False),
    sa.Column('counter_id', sa.Integer(), nullable=False),
    sa.Column('desk_pool_id', sa.Integer(), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.CheckConstraint('used >= 0 AND used <= capacity', name=op.f('ck_slot_never_oversold')),
    sa.CheckConstraint('wanted >= 0 AND start_time < end_time', name=op.f('ck_slot_sane')),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_slot_counter_id')),
    sa.ForeignKeyConstraint(['desk_pool_id'], ['desk_pool.id'], name=op.f('fk_slot_desk_pool_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slot')),
    sa.UniqueConstraint('desk_pool_id', 'slot_date', 'start_time', 'channel', name=op.f('uq_slot_desk_pool_id_slot_date_start_time_channel'))
    )
    with op.batch_alter_table('slot', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_slot_channel_slot_date_start_time_id'), ['channel', 'slot_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_slot_counter_id_slot_date_channel_start_time'), ['counter_id', 'slot_date', 'channel', 'start_time'], unique=False)
        batch_op.create_index(batch_op.f('ix_slot_counter_id_slot_date_start_time_id'), ['counter_id', 'slot_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_slot_desk_pool_id_slot_date_start_time_id'), ['desk_pool_id', 'slot_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_slot_slot_date_start_time_id'), ['slot_date', 'start_time', 'id'], unique=False)

    op.create_table('document_page',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('file_seq', sa.Integer(), nullable=False),
    sa.Column('partition_year', sa.Integer(), nullable=False),
    sa.Column('page_no', sa.Integer(), nullable=False),
    sa.Column('stored_name', sa.String(length=80), nullable=False),
    sa.Column('display_name', sa.String(length=255), nullable=False),
    sa.Column('mime_type', sa.Enum('application/pdf', 'image/tiff', 'image/jpeg', 'image/png', name='mime_type', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('rotation', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.CheckConstraint('page_no >= 1', name=op.f('ck_document_page_page_positive')),
    sa.CheckConstraint('rotation IN (0, 90, 180, 270)', name=op.f('ck_document_page_quarter_turns')),
    sa.CheckConstraint('size_bytes >= 0', name=op.f('ck_document_page_size_not_negative')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_document_page_document_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document_page')),
    sa.UniqueConstraint('document_id', 'file_seq', 'page_no', name=op.f('uq_document_page_document_id_file_seq_page_no')),
    sa.UniqueConstraint('stored_name', name=op.f('uq_document_page_stored_name'))
    )
    with op.batch_alter_table('document_page', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_document_page_document_id_id'), ['document_id', 'id'], unique=False)

    op.create_table('reservation',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('booking_code', sa.String(length=10), nullable=False),
    sa.Column('group_id', sa.String(length=36), nullable=True),
    sa.Column('booking_date', sa.Date(), nullable=False),
    sa.Column('start_time', sa.Time(), nullable=False),
    sa.Column('end_time', sa.Time(), nullable=False),
    sa.Column('procedure_name', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('name_kana', sa.String(length=200), nullable=False),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('sex', sa.Enum('male', 'female', 'unknown', 'not_applicable', name='sex', native_enum=False, create_constraint=True, length=30), nullable=True),
    sa.Column('postal_code', sa.String(length=7), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=False),
    sa.Column('building', sa.String(length=100), nullable=False),
    sa.Column('phone', sa.String(length=11), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('request_detail', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('held', 'booked', 'arrived', 'cancelled', 'no_show', 'expired', name='reservation_state', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('message', sa.String(length=500), nullable=False),
    sa.Column('requested_date', sa.Date(), nullable=False),
    sa.Column('requested_time', sa.Time(), nullable=False),
    sa.Column('channel', sa.Enum('web', 'callcenter', 'counter', 'reserve', name='channel', native_enum=False, create_constraint=True, length=30), nullable=False),
    sa.Column('units', sa.Integer(), nullable=False),
    sa.Column('form_token', sa.String(length=43), nullable=True),
    sa.Column('consent_version', sa.String(length=20), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('category_id', sa.Integer(), nullable=False),
    sa.Column('counter_id', sa.Integer(), nullable=False),
    sa.Column('slot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('row_stamp', sa.Integer(), nullable=False),
    sa.Column('search_key', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("length(booking_code) = 10 AND rtrim(booking_code, '23456789ABCDEFGHJKLMNPQRSTUVWXYZ') = ''", name=op.f('ck_reservation_booking_code')),
    sa.CheckConstraint("length(phone) BETWEEN 10 AND 11 AND substr(phone, 1, 1) = '0' AND rtrim(phone, '0123456789') = ''", name=op.f('ck_reservation_phone')),
    sa.CheckConstraint("state <> 'held' OR held_until IS NOT NULL", name=op.f('ck_reservation_hold_ends')),
    sa.CheckConstraint('start_time < end_time', name=op.f('ck_reservation_start_before_end')),
    sa.CheckConstraint('units > 0', name=op.f('ck_reservation_units_positive')),
    sa.ForeignKeyConstraint(['category_id'], ['booking_category.id'], name=op.f('fk_reservation_category_id')),
    sa.ForeignKeyConstraint(['counter_id'], ['counter.id'], name=op.f('fk_reservation_counter_id')),
    sa.ForeignKeyConstraint(['slot_id'], ['slot.id'], name=op.f('fk_reservation_slot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reservation')),
    sa.UniqueConstraint('booking_code', name=op.f('uq_reservation_booking_code')),
    sa.UniqueConstraint('form_token', name=op.f('uq_reservation_form_token'))
    )
    with op.batch_alter_table('reservation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reservation_booking_date_start_time_id'), ['booking_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_category_id_booking_date_start_time_id'), ['category_id', 'booking_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_channel_booking_date_start_time_id'), ['channel', 'booking_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_counter_id_booking_date_start_time_id'), ['counter_id', 'booking_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_group_id'), ['group_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_phone_booking_date_start_time_id'), ['phone', 'booking_date', 'start_time', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_slot_id_state'), ['slot_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_reservation_state_booking_date_start_time_id'), ['state', 'booking_date', 'start_time', 'id'], unique=False)

    op.keep_append_only('card_history')
    op.keep_append_only('card_note')
    op.keep_append_only('operation_log')
    op.create_search_index('ab_user')
    op.create_search_index('booking_category')
    op.create_search_index('card')
    op.create_search_index('code_item')
    op.create_search_index('counter')
    op.create_search_index('desk_pool')
    op.create_search_index('document')
    op.create_search_index('reservation')
    op.create_search_index('shipment')


def downgrade() -> None:
    op.drop_search_index('shipment')
    op.drop_search_index('reservation')
    op.drop_search_index('document')
    op.drop_search_index('desk_pool')
    op.drop_search_index('counter')
    op.drop_search_index('code_item')
    op.drop_search_index('card')
    op.drop_search_index('booking_category')
    op.drop_search_index('ab_user')
    op.let_change('operation_log')
    op.let_change('card_note')
    op.let_change('card_history')
    with op.batch_alter_table('reservation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reservation_state_booking_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_reservation_slot_id_state'))
        batch_op.drop_index(batch_op.f('ix_reservation_phone_booking_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_reservation_group_id'))
        batch_op.drop_index(batch_op.f('ix_reservation_counter_id_booking_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_reservation_channel_booking_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_reservation_category_id_booking_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_reservation_booking_date_start_time_id'))

    op.drop_table('reservation')
    with op.batch_alter_table('document_page', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_document_page_document_id_id'))

    op.drop_table('document_page')
    with op.batch_alter_table('slot', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_slot_slot_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_slot_desk_pool_id_slot_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_slot_counter_id_slot_date_start_time_id'))
        batch_op.drop_index(batch_op.f('ix_slot_counter_id_slot_date_channel_start_time'))
        batch_op.drop_index(batch_op.f('ix_slot_channel_slot_date_start_time_id'))

    op.drop_table('slot')
    with op.batch_alter_table('shipment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_shipment_tracking_no_id'))
        batch_op.drop_index(batch_op.f('ix_shipment_sent_date_id'))
        batch_op.drop_index(batch_op.f('ix_shipment_returned_date_id'))
        batch_op.drop_index(batch_op.f('ix_shipment_return_reason_id'))
        batch_op.drop_index(batch_op.f('ix_shipment_item_kind_id'))
        batch_op.drop_index(batch_op.f('ix_shipment_card_id_id'))

    op.drop_table('shipment')
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_document_registered_date_id'))
        batch_op.drop_index(batch_op.f('ix_document_fiscal_year_id'))
        batch_op.drop_index(batch_op.f('ix_document_document_no_id'))
        batch_op.drop_index(batch_op.f('ix_document_document_class_id'))
        batch_op.drop_index(batch_op.f('ix_document_card_id_id'))

    op.drop_table('document')
    with op.batch_alter_table('desk_pool_category', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_desk_pool_category_booking_category_id'))

    op.drop_table('desk_pool_category')
    with op.batch_alter_table('card_note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_card_note_updated_at_id'))
        batch_op.drop_index(batch_op.f('ix_card_note_card_id_id'))

    op.drop_table('card_note')
    with op.batch_alter_table('card_history', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_card_history_updated_at_id'))
        batch_op.drop_index(batch_op.f('ix_card_history_card_id_id'))

    op.drop_table('card_history')
    with op.batch_alter_table('ab_permission_view_role', schema=None) as batch_op:
        batch_op.drop_index('idx_role_id')
        batch_op.drop_index('idx_permission_view_id')

    op.drop_table('ab_permission_view_role')
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_web_session_user_id'))
        batch_op.drop_index(batch_op.f('ix_web_session_seen_at'))

    op.drop_table('web_session')
    with op.batch_alter_table('staff_counter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_counter_counter_id'))

    op.drop_table('staff_counter')
    with op.batch_alter_table('import_draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_import_draft_user_id'))
        batch_op.drop_index(batch_op.f('ix_import_draft_created_at'))

    op.drop_table('import_draft')
    with op.batch_alter_table('desk_pool', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_desk_pool_counter_id_id'))

    op.drop_table('desk_pool')
    with op.batch_alter_table('counter_hours', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_counter_hours_counter_id_id'))

    op.drop_table('counter_hours')
    with op.batch_alter_table('counter_closure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_counter_closure_starts_on_id'))
        batch_op.drop_index(batch_op.f('ix_counter_closure_counter_id_starts_on_id'))

    op.drop_table('counter_closure')
    with op.batch_alter_table('card', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_card_visit_type_id'))
        batch_op.drop_index(batch_op.f('ix_card_transit_to_id_id'))
        batch_op.drop_index(batch_op.f('ix_card_storage_site_id_id'))
        batch_op.drop_index(batch_op.f('ix_card_state_id'))
        batch_op.drop_index(batch_op.f('ix_card_state_application_date_id'))
        batch_op.drop_index(batch_op.f('ix_card_notice_sent_date_id'))
        batch_op.drop_index(batch_op.f('ix_card_notice_no_id'))
        batch_op.drop_index(batch_op.f('ix_card_notice_no'), sqlite_where=sa.text('NOT issue_done AND NOT issue_cancelled'), postgresql_where=sa.text('NOT issue_done AND NOT issue_cancelled'))
        batch_op.drop_index(batch_op.f('ix_card_manufacturing_no_id'))
        batch_op.drop_index(batch_op.f('ix_card_managed_from_id'))
        batch_op.drop_index(batch_op.f('ix_card_issued_date_id'))
        batch_op.drop_index(batch_op.f('ix_card_issue_site_id_storage_site_id_transit_to_id_id'))
        batch_op.drop_index(batch_op.f('ix_card_issue_site_id_application_date_id'))
        batch_op.drop_index(batch_op.f('ix_card_application_site_id_id'))
        batch_op.drop_index(batch_op.f('ix_card_application_date_id'))

    op.drop_table('card')
    op.drop_table('ab_user_role')
    with op.batch_alter_table('ab_user_group', schema=None) as batch_op:
        batch_op.drop_index('idx_user_id')
        batch_op.drop_index('idx_user_group_id')

    op.drop_table('ab_user_group')
    with op.batch_alter_table('ab_permission_view', schema=None) as batch_op:
        batch_op.drop_index('idx_view_menu_id')
        batch_op.drop_index('idx_permission_id')

    op.drop_table('ab_permission_view')
    with op.batch_alter_table('ab_group_role', schema=None) as batch_op:
        batch_op.drop_index('idx_group_role_id')
        batch_op.drop_index('idx_group_id')

    op.drop_table('ab_group_role')
    with op.batch_alter_table('ab_api_key', schema=None) as batch_op:
        batch_op.drop_index('idx_api_key_user_id')
        batch_op.drop_index('idx_api_key_prefix')
        batch_op.drop_index('idx_api_key_lookup_hash')

    op.drop_table('ab_api_key')
    with op.batch_alter_table('sent_form', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sent_form_sent_at'))

    op.drop_table('sent_form')
    with op.batch_alter_table('retention_rule', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_retention_rule_valid_from_id'))

    op.drop_table('retention_rule')
    with op.batch_alter_table('operation_log', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_operation_log_user_name_started_at_id'))
        batch_op.drop_index(batch_op.f('ix_operation_log_user_id_started_at_id'))
        batch_op.drop_index(batch_op.f('ix_operation_log_started_at_id'))
        batch_op.drop_index(batch_op.f('ix_operation_log_my_number_access_started_at_id'))
        batch_op.drop_index(batch_op.f('ix_operation_log_application_id_started_at_id'))
        batch_op.drop_index(batch_op.f('ix_operation_log_action_code_started_at_id'))
        batch_op.drop_index(batch_op.f('ix_operation_log_action_class_started_at_id'))

    op.drop_table('operation_log')
    op.drop_table('installed')
    with op.batch_alter_table('fee_rule', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_fee_rule_valid_from_id'))

    op.drop_table('fee_rule')
    with op.batch_alter_table('counter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_counter_sort_order_id'))
        batch_op.drop_index(batch_op.f('ix_counter_is_open_sort_order_id'))

    op.drop_table('counter')
    with op.batch_alter_table('code_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_code_item_sort_order_id'))
        batch_op.drop_index(batch_op.f('ix_code_item_list_name_sort_order_id'))
        batch_op.drop_index(batch_op.f('ix_code_item_is_active_list_name_sort_order_id'))

    op.drop_table('code_item')
    with op.batch_alter_table('booking_draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_booking_draft_kept_at'))

    op.drop_table('booking_draft')
    with op.batch_alter_table('booking_category', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_booking_category_sort_order_id'))
        batch_op.drop_index(batch_op.f('ix_booking_category_purpose_sort_order_id'))
        batch_op.drop_index(batch_op.f('ix_booking_category_is_open_sort_order_id'))

    op.drop_table('booking_category')
    op.drop_table('ab_view_menu')
    with op.batch_alter_table('ab_user', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ab_user_employer_id'))
        batch_op.drop_index(batch_op.f('ix_ab_user_active_id'))

    op.drop_table('ab_user')
    op.drop_table('ab_role')
    op.drop_table('ab_register_user')
    op.drop_table('ab_permission')
    op.drop_table('ab_group')
