"""Get the FileVault recovery key of a Mac."""

from cards.kandji._client import Kandji
from cards.kandji._shapes import DeviceTarget
from connector import CardOutputs, Text, card, field


class Outputs(CardOutputs):
    key: Text = field("FileVault recovery key; empty when Kandji holds none", secret=True)


@card("Get FileVault Recovery Key", keywords=("disk encryption", "unlock disk"))
async def get_filevault_recovery_key(inputs: DeviceTarget, kandji: Kandji) -> Outputs:
    return Outputs.of(await kandji.device(inputs.device_id, "secrets", "filevaultkey"))
