import time
from tests.test_files import *
def test_x(browse, session, database):
    m=browse("manager")
    n=5000
    heading = (*BASE, "申請書ID（見た目用）")
    f=csv_file(*[(*GOOD, f"{i:023d}") for i in range(n)], heading=heading)
    t=time.process_time(); w=time.time(); p=upload(m, f); print("cards preview", p.status_code, time.process_time()-t, time.time()-w)
    t=time.process_time(); w=time.time(); a=confirm(m,p); print("cards import", a.status_code, time.process_time()-t, time.time()-w)
    heading = ("申請書ID", "発送物の種類", "発送日", "郵便番号", "氏名", "住所")
    f=csv_file(*[(f"{i:023d}", "交付通知書", "2026-11-01", "6500001", "山田", "神戸市") for i in range(n)], heading=heading)
    t=time.process_time(); w=time.time(); p=upload(m, f, table_name="shipment"); print("shipments preview", p.status_code, time.process_time()-t, time.time()-w)
    assert 0
