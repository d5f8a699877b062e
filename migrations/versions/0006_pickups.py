"""pickups"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

NOTIFIED = sa.text("state IN ('notified', 'reminded')")
LIVE = sa.text("pickup_ref IS NOT NULL AND state IN ('held', 'booked')")
MARKED = sa.text("notice_hash IS NOT NULL")


def upgrade() -> None:
    op.create_table('pickup_card',
    sa.Column('card_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('ref', sa.String(length=22), nullable=False),
    sa.Column('card_stamp', sa.Integer(), nullable=False),
    sa.Column('key_id', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_pickup_card_card_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('card_id', name=op.f('pk_pickup_card')),
    sa.UniqueConstraint('ref', name=op.f('uq_pickup_card_ref'))
    )
    op.create_table('pickup_ticket',
    sa.Column('ref', sa.String(length=22), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('counters', sa.JSON(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['ref'], ['pickup_card.ref'], name=op.f('fk_pickup_ticket_ref'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ref', name=op.f('pk_pickup_ticket'))
    )
    with op.batch_alter_table('pickup_ticket', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pickup_ticket_key_hash'), ['key_hash'], unique=False)
        batch_op.create_index(batch_op.f('ix_pickup_ticket_valid_until'), ['valid_until'], unique=False)

    with op.batch_alter_table('booking_category', schema=None) as batch_op:
        batch_op.add_column(sa.Column('asks_notice', sa.Boolean(), server_default='0', nullable=False))

    with op.batch_alter_table('card', schema=None) as batch_op:
        batch_op.create_index('ix_card_notified', ['id'], unique=False, sqlite_where=NOTIFIED, postgresql_where=NOTIFIED)

    with op.batch_alter_table('reservation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pickup_ref', sa.String(length=22), nullable=True))
        batch_op.add_column(sa.Column('notice_hash', sa.String(length=64), nullable=True))
        batch_op.create_index('uq_reservation_pickup', ['pickup_ref'], unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
        batch_op.create_index('ix_reservation_notice', ['notice_hash'], unique=False, sqlite_where=MARKED, postgresql_where=MARKED)


def downgrade() -> None:
    with op.batch_alter_table('reservation', schema=None) as batch_op:
        batch_op.drop_index('ix_reservation_notice', sqlite_where=MARKED, postgresql_where=MARKED)
        batch_op.drop_index('uq_reservation_pickup', sqlite_where=LIVE, postgresql_where=LIVE)
        batch_op.drop_column('notice_hash')
        batch_op.drop_column('pickup_ref')

    with op.batch_alter_table('card', schema=None) as batch_op:
        batch_op.drop_index('ix_card_notified', sqlite_where=NOTIFIED, postgresql_where=NOTIFIED)

    with op.batch_alter_table('booking_category', schema=None) as batch_op:
        batch_op.drop_column('asks_notice')

    with op.batch_alter_table('pickup_ticket', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pickup_ticket_valid_until'))
        batch_op.drop_index(batch_op.f('ix_pickup_ticket_key_hash'))

    op.drop_table('pickup_ticket')
    op.drop_table('pickup_card')
