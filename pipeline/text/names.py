"""Person names as people write them in opinions: with a title, or after 我叫 / 姓名."""

from __future__ import annotations

import re

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范彭鲁韦马苗方俞任袁柳鲍史"
    "唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐傅卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛米戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾"
    "江郭梅林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房缪解丁邓郁崔吉钮龚程嵇邢裴陆荣翁荀甄曲封芮储靳焦谷侯全仰宁"
    "仇栾甘厉祖武符刘景詹龙叶幸韶黎蒲邰鄂赖卓蔺屠蒙池乔阎闫聂晁勾敖冷辛简饶曾游丰关查荆游覃肖涂佟付易廖尚欧温莫黄石白粟农玉于"
)
_DOUBLE = "欧阳|司马|上官|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|司徒"
_TITLES = (
    "总经理|董事长|副厅长|厅长|副处长|处长|副科长|科长|副局长|局长|副站长|站长|副所长|所长|副主任|主任|副经理|经理|书记|支书|"
    "副校长|校长|副院长|院长|厂长|队长|主席|会计|出纳|科员|老师|医生|大夫|护士|工程师|教授|警官|法官|市长|县长|区长|镇长|乡长|村长|"
    "司机|师傅|先生|女士|小姐|同志|秘书|干事|专员|调研员|组长|股长|主管|委员|部长|会长|社长|馆长|老板|队员|干部"
)
_SHORT_TITLES = "总工|处|科|局|总|工|主任"
# characters that a given name does not hold but an organisation or a grammatical word does
_NOT_GIVEN = (
    "区县市省乡镇村处室科局厂社站所院校部委办组队司公的了和是在到找向对让给被把跟与及或个位名这那每各总副正新老前原现"
    "兼党支会街道馆店行级间务面等就都也又还去来请叫说问见问为以从由于里内外上下不没有无很比同该本某"
)
# surname + character that is an ordinary word, so no name begins there
_ORDINARY = frozenset(re.findall(r"\w+", """
安全 高级 常务 方面 任何 任职 成立 石油 水利 金融 温泉 江苏 黄金 马上 白天 毛巾 花园 田间 林业 齐全 路政 施工 龙头 章程
严格 关键 关系 关于 应该 查处 查看 简单 简直 解决 解放 康复 平时 常常 高中 高校 高新 高压 金属 万元 万一 全体 全部 全厅
全省 全市 全县 全科 班组 车间 车队 房产 房管 石化 武装 武警 江西 江北 江南 黄山 宁波 广西 宋代 华东 华南 华北 华侨 华人
荣誉 安排 安检 安置 查询 封闭 储备 计划 包装 游客 程序 曲线 符合 项目 纪检 纪委 季度 章节 丰富 乐意 甘心 曾经 尚未 全班
白酒 白糖 易地 单位 教育 干部 工会 谷物 卫生 卫计 水电 温暖 冷库 冷饮 冷冻 冷冰 蒙古 解释 冯家 常年 常见 幸亏 简易 简报
方式 方便 米面 米厂 沈阳 郑州 徐州 苏州 杭州 柳州 梅州 荆州 贺州 郴州 万家 林场 林区 田地 史料 钟点 雷达 许多 谢谢 施行
何时 何地 何人 何况 何必 何处 高兴 高调 高度 严厉 严肃 冷漠 冷笑 冷淡 温和 常来 常去 全来 玉石 玉米 于是 于此 于今 于事 于理 于法 于情 农业 农民 农场 农村
胡乱 高价 高低 石材 金额 安静 白班
"""))  # fmt: skip
# what stands before a surname that is then part of an ordinary word: 对方经理, 班主任
_BEFORE_BLOCKS = {
    "方": "对双我地甲乙东西南北官警校院厂各多", "任": "两第科几每一二三四五时担原兼现历曾升责后前继连新主委责重信上就离留班", "万": "0123456789一二三四五六七八九十百千几数两",
    "全": "安健完不", "常": "经平日正非通异时照", "高": "提最较很更太", "安": "公治保平", "房": "住厂楼库平门机", "查": "检调督审核巡抽复",
    "解": "了讲调", "关": "机有相海", "简": "从", "计": "会设统", "严": "从", "毛": "几一两三五", "温": "高低体", "田": "农",
    "石": "宝采碎", "白": "明空", "江": "长", "金": "资现奖基税罚老积租押赏佣保定", "武": "人", "程": "工课过流章行", "章": "公盖规图", "纪": "年世",
    "季": "一二三四", "易": "容交贸", "封": "密信", "荣": "光", "余": "业多其", "史": "历", "池": "电水", "冷": "很太",
    "曲": "歌", "景": "背风", "康": "健", "乐": "快娱音", "华": "中", "谢": "感多致答谢", "许": "容允不或也少", "于": "由关对属等位处在至终基鉴便限敢忙急有易勇善乐出归居低高大小多少", "卫": "门保警防环",
}  # fmt: skip
_GIVEN = rf"[^\W\d_A-Za-z{_NOT_GIVEN}]"
_SURNAME = rf"(?:{_DOUBLE}|[{_SURNAMES}])"

_TITLED = re.compile(rf"({_SURNAME})({_GIVEN}{{0,2}}?)(?=(?:副|总|常务)?(?:{_TITLES}))")
_SHORT_TITLED = re.compile(
    rf"(?:^|(?<=[\s，。、；：“”（(的找给和跟向是请叫]))({_SURNAME})()(?=(?:{_SHORT_TITLES})(?:[\s，。、；：”）)的说讲让要来在把家]|$))"
)
_AFTER_TITLE = re.compile(
    rf"(?:(?<=处长)|(?<=科长)|(?<=局长)|(?<=站长)|(?<=经理)|(?<=主任)|(?<=书记)|(?<=校长)|(?<=厂长))"
    rf"({_SURNAME})({_GIVEN}{{1,2}}?)(?=[，。、；：\s）)的说讲让要在收把拿将是签同来去带叫骂打给不]|$)"
)
_INTRODUCED = re.compile(
    rf"(?:我叫|名叫|名字叫|本人叫|(?:姓名|签名|署名|(?:联系|举报|反映|投诉|申诉|来信|报告|经办)人)(?:[：:是为] ?)?)"
    rf"({_SURNAME})({_GIVEN}{{1,2}})(?=[，。、；：:,.;\s）)住是今家在电手]|$)"
)
_SELF = re.compile(rf"(?:本人|我是)({_SURNAME})({_GIVEN}{{1,2}})(?=[，,。；;（(\n]|$)")
_DESCRIBED = re.compile(rf"({_SURNAME})({_GIVEN}{{1,2}})(?=[（(][男女][，,、）)])")
_KINLIKE = re.compile(rf"({_SURNAME})()(?=[姐哥叔婶嫂姨][，。、；：:,“”！？!?\s的说讲来在要收把给态])")
# 老蒙, 小赵, 老李头 as somebody is called; 从小康, 价格老高 are no names
_FAMILIAR = re.compile(
    rf"(?:(?<=老)(?![高常成全])|(?<=(?<![大从])小)(?![康万石曲]))({_SURNAME})()(?=头?(?:[，。、；：:,“”！？!?\s说讲收拿态给让叫来去是认当总要带把]|$))"
)


_PATTERNS = (
    _INTRODUCED, _SELF, _DESCRIBED, _TITLED, _AFTER_TITLE, _SHORT_TITLED, _FAMILIAR, _KINLIKE,
)  # fmt: skip


def name_spans(text: str) -> list[tuple[int, int]]:
    """Spans of person names, in order, not overlapping; the title itself is not part of the span."""
    spans: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        at = 0
        while match := pattern.search(text, at):
            start, end = match.span(1)[0], match.span(2)[1]
            at = start + 1  # within what is no name one may begin: 感谢陈科长
            surname = match.group(1)
            before = text[start - 1] if start else ""
            if surname + text[start + len(surname) : start + len(surname) + 1] in _ORDINARY or (
                before and before in _BEFORE_BLOCKS.get(surname, "")
            ):
                continue
            at = max(at, match.end())
            spans.append((start, end))
    spans.sort()
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
