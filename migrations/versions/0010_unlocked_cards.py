"""unlocked cards"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('booking_draft', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cards', sa.String(length=1000), server_default='', nullable=False))

    with op.batch_alter_table('waiting_entry', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cards', sa.String(length=1000), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('waiting_entry', schema=None) as batch_op:
        batch_op.drop_column('cards')

    with op.batch_alter_table('booking_draft', schema=None) as batch_op:
        batch_op.drop_column('cards')
