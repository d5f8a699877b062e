"""days on which counters rest, and the latest end of a procedure"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('booking_category', schema=None) as batch_op:
        batch_op.add_column(sa.Column('latest_end', sa.Time(), nullable=True))

    with op.batch_alter_table('counter', schema=None) as batch_op:
        batch_op.add_column(sa.Column('closed_on_holidays', sa.Boolean(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('closed_at_year_end', sa.Boolean(), server_default='0', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('counter', schema=None) as batch_op:
        batch_op.drop_column('closed_at_year_end')
        batch_op.drop_column('closed_on_holidays')

    with op.batch_alter_table('booking_category', schema=None) as batch_op:
        batch_op.drop_column('latest_end')
