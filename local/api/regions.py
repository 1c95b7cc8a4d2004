"""The regions of Alibaba Cloud that are open to everybody or to a trade, with their names.

From the page "Regions and zones" of ECS's documentation, 2026.
"""

# ruff: noqa: RUF001 - the names as ECS writes them
from collections.abc import Mapping

REGIONS: Mapping[str, tuple[str, str]] = {
    "cn-qingdao": ("华北1（青岛）", "China (Qingdao)"),
    "cn-beijing": ("华北2（北京）", "China (Beijing)"),
    "cn-zhangjiakou": ("华北3（张家口）", "China (Zhangjiakou)"),
    "cn-huhehaote": ("华北5（呼和浩特）", "China (Hohhot)"),
    "cn-wulanchabu": ("华北6（乌兰察布）", "China (Ulanqab)"),
    "cn-hangzhou": ("华东1（杭州）", "China (Hangzhou)"),
    "cn-shanghai": ("华东2（上海）", "China (Shanghai)"),
    "cn-nanjing": ("华东5（南京）", "China (Nanjing)"),
    "cn-fuzhou": ("华东6（福州）", "China (Fuzhou)"),
    "cn-wuhan-lr": ("华中1（武汉）", "China (Wuhan)"),
    "cn-zhengzhou-jva": ("郑州（联通合营）", "China (Zhengzhou)"),
    "cn-shenzhen": ("华南1（深圳）", "China (Shenzhen)"),
    "cn-heyuan": ("华南2（河源）", "China (Heyuan)"),
    "cn-guangzhou": ("华南3（广州）", "China (Guangzhou)"),
    "cn-chengdu": ("西南1（成都）", "China (Chengdu)"),
    "cn-hongkong": ("中国香港", "China (Hong Kong)"),
    "ap-northeast-1": ("日本（东京）", "Japan (Tokyo)"),
    "ap-northeast-2": ("韩国（首尔）", "South Korea (Seoul)"),
    "ap-southeast-1": ("新加坡", "Singapore"),
    "ap-southeast-3": ("马来西亚（吉隆坡）", "Malaysia (Kuala Lumpur)"),
    "ap-southeast-5": ("印度尼西亚（雅加达）", "Indonesia (Jakarta)"),
    "ap-southeast-6": ("菲律宾（马尼拉）", "Philippines (Manila)"),
    "ap-southeast-7": ("泰国（曼谷）", "Thailand (Bangkok)"),
    "us-east-1": ("美国（弗吉尼亚）", "US (Virginia)"),
    "us-west-1": ("美国（硅谷）", "US (Silicon Valley)"),
    "us-southeast-1": ("美国（亚特兰大）", "US (Atlanta)"),
    "na-south-1": ("墨西哥", "Mexico"),
    "eu-central-1": ("德国（法兰克福）", "Germany (Frankfurt)"),
    "eu-west-1": ("英国（伦敦）", "UK (London)"),
    "me-east-1": ("阿联酋（迪拜）", "UAE (Dubai)"),
    "me-central-1": ("沙特（利雅得）", "SAU (Riyadh - Partner Region)"),
    "cn-hangzhou-finance": ("华东1 金融云", "China (Hangzhou) Finance"),
    "cn-shanghai-finance-1": ("华东2 金融云", "China (Shanghai) Finance"),
    "cn-shenzhen-finance-1": ("华南1 金融云", "China (Shenzhen) Finance"),
    "cn-beijing-finance-1": ("华北2 金融云", "China (Beijing) Finance"),
    "cn-north-2-gov-1": ("华北2 阿里政务云1", "China (Beijing) Government"),
}
"""Name in Chinese and in English, by id. Closed ones (ap-south-1, ap-southeast-2) are no regions any more."""


def name_of(region_id: str, *, english: bool) -> str:
    """Return a region's name, of one that isn't in the table its id."""
    names = REGIONS.get(region_id)
    return region_id if names is None else names[english]
