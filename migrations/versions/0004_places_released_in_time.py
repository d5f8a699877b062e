"""places released to 公開 as their time comes near"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

HOURS = (
    "callcenter_release_hours BETWEEN 0 AND 1000 AND counter_release_hours BETWEEN 0 AND 1000"
    " AND reserve_release_hours BETWEEN 0 AND 1000"
)
TRANSFERRED = "wanted >= released AND CASE WHEN channel = 'web' THEN released >= 0 ELSE released <= 0 END"


def upgrade() -> None:
    with op.batch_alter_table('desk_pool', schema=None) as batch_op:
        batch_op.add_column(sa.Column('callcenter_release_hours', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('counter_release_hours', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('reserve_release_hours', sa.Integer(), nullable=True))
        batch_op.create_check_constraint(op.f('ck_desk_pool_release_hours'), HOURS)

    with op.batch_alter_table('slot', schema=None) as batch_op:
        batch_op.add_column(sa.Column('released', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_check_constraint(op.f('ck_slot_transferred'), TRANSFERRED)


def downgrade() -> None:
    with op.batch_alter_table('slot', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_slot_transferred'), type_='check')
        batch_op.drop_column('released')

    with op.batch_alter_table('desk_pool', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_desk_pool_release_hours'), type_='check')
        batch_op.drop_column('reserve_release_hours')
        batch_op.drop_column('counter_release_hours')
        batch_op.drop_column('callcenter_release_hours')
