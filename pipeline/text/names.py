"""Person names as people write them in opinions: with a title, after 我叫 or 姓名, as 老李, or by the name's own characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.text.rules import Rule, Starts

SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范彭鲁韦马苗方俞任袁柳鲍史"
    "唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐傅卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛米戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾"
    "江郭梅林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房缪解丁邓郁崔吉钮龚程嵇邢裴陆荣翁荀甄曲封芮储靳焦谷侯全仰宁"
    "仇栾甘厉祖武符刘景詹龙叶幸韶黎蒲邰鄂赖卓蔺屠蒙池乔阎闫聂晁勾敖冷辛简饶曾游丰关查荆游覃肖涂佟付易耿瞿晏岳桑谭段洪牛黎颜庄翟申柴左童牟盛冉艾隋麦谈娄郎苟臧佘匡楚邝宫鞠冼敖巩芦兰匡卜丛廖尚欧温莫黄石白粟农玉于"
)
DOUBLE_SURNAMES = "欧阳|司马|上官|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|司徒"
TITLES = (
    "总经理|董事长|副厅长|厅长|副处长|处长|副科长|科长|副局长|局长|副站长|站长|副所长|所长|副主任|主任|副经理|经理|书记|支书|"
    "副校长|校长|副院长|院长|厂长|队长|主席|会计|出纳|科员|老师|医生|大夫|护士|工程师|教授|警官|法官|市长|县长|区长|镇长|乡长|村长|"
    "司机|师傅|先生|女士|小姐|同志|秘书|干事|专员|调研员|组长|股长|主管|委员|部长|会长|社长|馆长|老板|队员|干部|律师|烈士|大姐|大哥|大叔|大妈|大爷|阿姨"
)
SHORT_TITLES = "总工|处|科|局|总|工|主任"
# characters that a given name does not hold but an organisation or a grammatical word does
NOT_GIVEN = (
    "区县市省乡镇村处室科局厂社站所院校部委办组队司公的了和是在到找向对让给被把跟与及或个位名这那每各总副正新老前原现"
    "兼党支会街道馆店行级间务面等就都也又还去来请叫说问见问为以从由于里内外上下不没有无很比同该本某"
)
# surname + character that is an ordinary word, so no name begins there
ORDINARY = frozenset(re.findall(r"\w+", """
安全 高级 常务 方面 任何 任职 成立 石油 水利 金融 温泉 江苏 黄金 马上 白天 毛巾 花园 田间 林业 齐全 路政 施工 龙头 章程
严格 关键 关系 关于 应该 查处 查看 简单 简直 解决 解放 康复 平时 常常 高中 高校 高新 高压 金属 万元 万一 全体 全部 全厅
全省 全市 全县 全科 班组 车间 车队 房产 房管 石化 武装 武警 江西 江北 江南 黄山 宁波 广西 宋代 华东 华南 华北 华侨 华人
荣誉 安排 安检 安置 查询 封闭 储备 计划 包装 游客 程序 曲线 符合 项目 纪检 纪委 季度 章节 丰富 乐意 甘心 曾经 尚未 全班
白酒 白糖 易地 单位 教育 干部 工会 谷物 卫生 卫计 水电 温暖 冷库 冷饮 冷冻 冷冰 蒙古 解释 冯家 常年 常见 幸亏 简易 简报
方式 方便 米面 米厂 沈阳 郑州 徐州 苏州 杭州 柳州 梅州 荆州 贺州 郴州 万家 林场 林区 田地 史料 钟点 雷达 许多 谢谢 施行
何时 何地 何人 何况 何必 何处 高兴 高调 高度 严厉 严肃 冷漠 冷笑 冷淡 温和 常来 常去 全来 玉石 玉米 于是 于此 于今 于事 于理 于法 于情 农业 农民 农场 农村
胡乱 康师 万科 龙飞 华丽 凌晨 夏天 夏季 廉洁 全家 周五 周六 周日 周末 周一 周二 周三 周四 谷子 农家 房子 金子 金银 陈家 张家 李家 王家 钱才 钱财 万福 苗族 幸福 龙泉 桑梓 高一 高二 高三 钱建 孙子 白花 石英 杨梅 金元 戴大 勾结 楚建 莫大 全凭 关注 万宝 屠宰 曾发 曾建 曾承 曾启 曾思 曾学 曾立 曾保 曾先 曾爱 龙凤 雷锋 毛主 查卫 查明 查清 查文 查财 兰花 洪水 洪灾 盛大 盛世 左右 左边 左侧 艾滋 黎明 庄家 庄稼 庄园 牛奶 牛肉 申请 申报 申诉 申办 申领 申明 申购 谈话 谈判 颜色 童年 童话 宫颈 麦子 段子 段长 楚天 楚楚 巩固 芦苇 郎朗 牛羊 牛马 盛名 盛行 洪流 洪峰 高价 高低 石材 金额 安静 白班
"""))  # fmt: skip
# what stands before a surname that is then part of an ordinary word: 对方经理, 班主任
BEFORE_BLOCKS = {
    "方": "对双我地甲乙东西南北官警校院厂各多", "任": "两第科几每一二三四五时担原兼现历曾升责后前继连新主委责重信上就离留班", "万": "0123456789一二三四五六七八九十百千几数两",
    "全": "安健完不", "常": "经平日正非通异时照", "高": "提最较很更太", "安": "公治保平", "陆": "内大登着水", "谷": "麓山峡稻", "钟": "分", "张": "一二两三四五六七八九十几每这那单整各数0123456789", "房": "住厂楼库平门机厨", "查": "检调督审核巡抽复",
    "解": "了讲调", "关": "机有相海", "简": "从", "计": "会设统", "严": "从", "毛": "几一两三五", "温": "高低体", "田": "农",
    "石": "宝采碎", "白": "明空", "江": "长", "金": "资现奖基税罚老积租押赏佣保定", "武": "人", "程": "工课过流章行", "章": "公盖规图", "纪": "年世",
    "季": "一二三四春夏秋冬", "易": "容交贸", "封": "密信", "荣": "光", "余": "业多其", "史": "历", "池": "电水", "冷": "很太",
    "曲": "歌", "景": "背风", "康": "健", "乐": "快娱音", "华": "中", "谢": "感多致答谢", "许": "容允不或也少", "于": "由关对属等位处在至终基鉴便限敢忙急有易勇善乐出归居低高大小多少", "卫": "门保警防环",
}  # fmt: skip
# characters before and behind which a name is one
LEFT = r"\s，。、；：:（(“—叫找向被把给由听与和跟是为我的！!）)"
RIGHT = r"\s，。、；：:,）)”说讲让收拿要签的"
HEADS = "处长|科长|局长|站长|经理|主任|书记|校长|厂长"
KINSHIP = "妹夫|姐夫|外甥|侄子|侄女|儿子|女儿|妻子|丈夫|爱人|老婆|老公|弟弟|哥哥|妹妹|父亲|母亲"
NO_NAME_BEFORE = "县市区镇乡村屯路街道桥厂矿店局校院站湾社湖江河山岭寺庙庄园苑城府井塔广场奖级年月号族"
FAMILIAR_BEFORE = r"，。、；：:,“”！？!?\s说讲收拿态给让叫来去是认当总要带把"
SHORT_TITLE_BEFORE = r"\s，。、；：”）)的说讲让要来在把家签收拿批"
SHORT_TITLE_AFTER = r"\s，。、；：“”（(的找给和跟向是请叫"
SHARED_TITLE_AFTER = r"\s，。、；：/找给和跟请叫的"
ENTRY_AFTER = r"\s，。、；：:（(—"
GIVEN = rf"[^\W\d_A-Za-z{NOT_GIVEN}]"
_SURNAME = rf"(?:{DOUBLE_SURNAMES}|[{SURNAMES}])"

TITLED = Rule(re.compile(rf"({_SURNAME})({GIVEN}{{0,2}}?)(?=(?:副|总|常务)?(?:{TITLES}))"))
SHORT_TITLED = Rule(
    re.compile(
        rf"(?:^|(?<=[{SHORT_TITLE_AFTER}]))({_SURNAME})()(?=(?:{SHORT_TITLES})(?:[{SHORT_TITLE_BEFORE}]|$))"
    )
)
AFTER_TITLE = Rule(
    re.compile(
        rf"([{SURNAMES}])(?<=(?:{HEADS}).)"
        rf"({GIVEN}{{1,2}}?)(?=[，。、；：\s）)的说讲让要在收把拿将是签同来去带叫骂打给不]|$)"
    )
)
KIN = Rule(
    re.compile(
        rf"([{SURNAMES}])(?<=(?:{KINSHIP}).)"
        rf"({GIVEN}{{1,2}}?)(?=[，。、；（(承包开当在把收来去说]|$)"
    )
)
INTRODUCED = Rule(
    re.compile(
        rf"(?:我叫|名叫|[有那]个叫|[那此]人叫|真名叫?|名字叫|本人叫|(?:姓名|签名|署名|(?:联系|举报|反映|投诉|申诉|来信|报告|经办)人)(?:[：:是为] ?)?)"
        rf"({_SURNAME})({GIVEN}{{1,2}})(?=[，。、；：:,.;\s）)住是今家在电手的]|$)"
    )
)
SELF = Rule(re.compile(rf"(?:本人|我是)({_SURNAME})({GIVEN}{{1,2}})(?=[，,。；;（(\n]|$)"))
DESCRIBED = Rule(re.compile(rf"({_SURNAME})({GIVEN}{{1,2}})(?=[（(][男女][，,、）)])"), signs="男女")
KINLIKE = Rule(
    re.compile(
        rf"({_SURNAME})()(?=[姐哥叔婶嫂姨](?:[，。、；：:,“”！？!?\s的说讲来在要收把给态]|(?<=[，。、；：\s]..)[办帮带让叫人一]|(?<=^..)[办帮带让叫人一]))"
    )
)
# 老蒙, 小赵, 老李头 as somebody is called; 从小康, 价格老高 are no names
FAMILIAR = Rule(
    re.compile(
        rf"(?:(?<=老)(?<!王老)(?![高常成全赖])|(?<=(?<![大从])小)(?![康万石曲]))({_SURNAME})()(?=头?(?:[{FAMILIAR_BEFORE}]|头[看管收]|$))"
    )
)


# 姓苏的; not 百姓, 姓名
SURNAME_SAID = Rule(
    re.compile(rf"(?<=姓)(?<!百姓)(?<!同姓)({_SURNAME})()(?=[，。、；：（）()的叫\s]|$)"), signs="姓"
)
# 赵、钱两位科长
SHARED_TITLE = Rule(
    re.compile(
        rf"(?:^|(?<=[{SHARED_TITLE_AFTER}]))({_SURNAME})()(?=(?:[、/]{_SURNAME})?(?:[两二三]位)?(?:{TITLES}))"
    )
)
# 买买提·吐尔逊: of the characters that write names from other languages
_SOUND = "阿买提吐尔逊古丽艾山江汗木拉依热孜尼亚迪力夏肉麦明苏莱曼玉素甫卡德合哈里别克努兰巴特叶赛帕沙布都娜扎仁曲珠次旺图尼萨伊斯买"
DOTTED = Rule(re.compile(rf"(?<![\w·])([{_SOUND}]{{2,6}})([·•][{_SOUND}]{{2,6}})"), signs="·")
# a name alone between stops, followed by the person's sex, number or birth
ENTRY = Rule(
    re.compile(
        rf"(?:^|(?<=[{ENTRY_AFTER}]))({_SURNAME})({GIVEN}{{1,2}})(?=[，, ]?[男女][，,、。）)\s]|[ ，,（(]{{0,2}}(?:身份证|电话|手机|[Tt]el)?[ :：]?〔(?:手机号|身份证号|电话|出生日期)〕)"
    ),
    signs="男女〔",
)
# the characters that given names are made of, and that seldom stand together in other words
NAMELIKE = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛超霞平刚桂建国华志明文永春秋冬玉兰珍珠凤莲梅菊香红云雪燕海波松柏德福贵荣富旺兴昌盛祥瑞庆"
    "喜康宁泰顺达忠孝仁义信诚智斌彬辉光亮星晨旭阳晓晖月宇浩然轩子涵梓欣怡佳嘉豪俊峰岩鹏飞龙虎翔鸿雁鹤凯胜捷立新民生良善美玲琴琳琪"
    "瑶瑜璐珊瑛莹颖慧惠淑贞洁婷婉娇娥媛妮倩茜芸芬芹芝萍莉菁蓉薇蕾素雅丹彤青碧紫钢铭锋锐启振耀祖宗承继先思恩爱卫援朝跃进才根宝洪"
    "清泉源润泽沛沐宏弘毅勤俭维权树桐楠栋棠家长天裕仪岚霄冰彩花莎蕊翠坚林森木东小大广文武学培锦钦炳炎焕绍显世仕士庭廷"
    "元友连金银铁生富财善旺勋绪昆仲伯民众义"
)
# 何某, 韦某某, 姚XX
VEILED = Rule(
    re.compile(
        rf"(?<![在与和])(?!任某|于某|查某)({_SURNAME})(某{{1,2}}|氏[{NAMELIKE}]{{1,2}}|[Xx×]{{1,2}}(?![0-9A-Za-z]))(?![年月日县市区]|[处局科](?!长))"
    ),
    signs="某氏xX×",
)
# the ones that other words hold too seldom to doubt
SURE = frozenset(
    "伟芳娜秀英敏静丽磊军勇艳杰娟涛霞刚桂兰珍珠凤莲梅菊燕斌彬辉旭晓晖浩轩涵梓怡佳嘉豪俊峰鹏翔鸿雁凯玲琴琳琪瑶瑜璐珊瑛莹颖慧淑贞婷婉娇娥媛妮倩茜芸芬芹萍莉菁蓉薇蕾雅彤铭锋炳焕勋建志福祥德贵荣宇轩思萱霄岚翠"
)
# surnames that are ordinary words or parts of them
WEAK = frozenset(
    "洪牛黎颜庄申左童盛艾麦谈楚宫巩段安常乐全高万方任时关查解于和温金白石平水江华成毛康路施包田农玉游项计简易章程祝米车严房封武冷丰许费齐元贝池景曲景幸蓝丁党雷云牛马向盛项范应明余连强甘林叶阳东荣宁管卫"
)
# names of brands, schools of thought and history, that tell of nobody here
_PUBLIC = frozenset(
    [
        "邓小平",
        "江泽民",
        "胡锦涛",
        "周恩来",
        "焦裕禄",
        "孔繁森",
        "孙中山",
        "张小泉",
        "柳宗元",
        "周大福",
        "东方明珠",
    ]
)
BARE = Rule(
    re.compile(
        rf"({DOUBLE_SURNAMES}|[{SURNAMES}])([{NAMELIKE}]{{1,2}})(?<![先家])(?<!先生)(?![{NO_NAME_BEFORE}])"
    )
)
ROLES = (
    "[系报映诉信告办电求事责理件]人|代表|车主|户主|户名|真名|签名|署名|落款|姓名|[市村居]民|职工|学生|家长|科员|检验员|"
    f"{TITLES}|老婆|妻子|丈夫|爱人|儿子|女儿|[他她我]爸|[他她我]妈|弟弟|哥哥|妹妹|妹夫|姐夫|外甥|侄子|父亲|母亲|爸爸|妈妈"
)
_ROLE = re.compile(rf"(?:{ROLES})(?:名?叫|[是为：: ])?$|[，、我他她名字]叫$")
_LEFT = re.compile(rf"(?:^|[{LEFT}]|本人)$")
_RIGHT = re.compile(rf"$|[{RIGHT}]|[敬]?上(?:$|\s)|[两二三四五]?[位人个]|电话|手机")


_NEXT = re.compile(
    rf"[、/ ]({_SURNAME}{GIVEN}{{1,2}}?)(?=[、，。；：\s（）()和及与等]|[两二三四五几][位人个]|$)"
)
_PREVIOUS = re.compile(rf"(?:^|[\s，。；：、（(和有])({_SURNAME}{GIVEN}{{1,2}})[、/]$")
_TITLE_END = re.compile(rf"(?:{TITLES}|{SHORT_TITLES}|先生|[姐哥叔婶嫂姨])$")
_FULL = 3
_REPEATED = 100
RULES = (
    INTRODUCED, SELF, TITLED, AFTER_TITLE, SHORT_TITLED, FAMILIAR, KINLIKE, KIN, SHARED_TITLE, DESCRIBED, ENTRY, VEILED, SURNAME_SAID,
)  # fmt: skip


def _told(match: re.Match[str]) -> bool:
    """Whether a name without a title is one, by the characters it is made of and by what stands around it."""
    text, (start, end) = match.string, match.span()
    surname, given = match.groups()
    before = text[max(0, start - 6) : start]
    if match.group() in _PUBLIC or _is_word(text, start, surname):
        return False
    sure = sum(character in SURE for character in given)
    weak = surname in WEAK
    left = _LEFT.search(before) is not None
    right = _RIGHT.match(text, end) is not None
    if len(given) == 2:
        return sure + left + (left and right) >= 1 + weak or _has_role(before)
    return (sure > 0 and left and right and not weak) or ((right or sure > 0) and _has_role(before))


def _has_role(before: str) -> bool:
    return _ROLE.search(before) is not None


def _is_word(text: str, start: int, surname: str) -> bool:
    """Whether what looks like a surname is part of an ordinary word, with what follows or with what precedes."""
    return surname + text[start + len(surname) : start + len(surname) + 1] in ORDINARY or (
        start > 0 and text[start - 1] in BEFORE_BLOCKS.get(surname, "")
    )


def name_spans(text: str, starts: Starts | None = None) -> list[tuple[int, int]]:
    """Spans of person names, in order, not overlapping; the title itself is not part of the span.

    ``starts``: where a name can begin, if that is known (:mod:`pipeline.compiled.masking`); the spans are the same.
    """
    spans: list[tuple[int, int]] = []
    for rule in RULES:
        if (starts is not None and rule not in starts) or not rule.worth_trying(text):
            continue
        at = 0
        while match := rule.following(text, at, starts):
            start, end = match.span(1)[0], match.span(2)[1]
            at = start + 1  # within what is no name one may begin: 感谢陈科长
            if not _is_word(text, start, match.group(1)):
                at = max(at, match.end())
                spans.append((start, end))
    spans += [match.span() for match in _matches(DOTTED, text, starts)]
    spans = _apart(spans, shortest=True)
    spans = _apart(spans + [match.span() for match in _matches(BARE, text, starts) if _told(match)])
    return _apart([*spans, *_listed(text, spans), *_again(text, spans)]) if spans else spans


def _matches(rule: Rule, text: str, starts: Starts | None) -> Iterator[re.Match[str]]:
    at = 0
    if rule.worth_trying(text):
        while match := rule.following(text, at, starts):
            yield match
            at = match.end()


def _listed(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Names beside a name in a list: 周新强、胡蒲利."""
    starts, ends = ({span[side] for span in spans} for side in (0, 1))
    found = []
    for _, at in spans:
        while (match := _NEXT.match(text, at)) and match.start(1) not in starts:
            found.append(match.span(1))
            starts.add(match.start(1))
            at = match.end()  # noqa: PLW2901  # on to the next in the list
    for at, _ in spans:
        while (match := _PREVIOUS.search(text, max(0, at - 6), at)) and match.end(1) not in ends:
            found.append(match.span(1))
            ends.add(match.end(1))
            at = match.start(1)  # noqa: PLW2901
    return [
        (start, end)
        for start, end in found
        if text[start : start + 2] not in ORDINARY and not _TITLE_END.search(text, start, end)
    ]


def _again(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Other places of the full names told in the text, of the first :data:`_REPEATED` of them."""
    names = dict.fromkeys(text[start:end] for start, end in spans if end - start >= _FULL)
    found = []
    for name in list(names)[:_REPEATED]:
        at = text.find(name)
        while at >= 0:
            found.append((at, at + len(name)))
            at = text.find(name, at + len(name))
    return found


def _apart(spans: list[tuple[int, int]], *, shortest: bool = False) -> list[tuple[int, int]]:
    """In order; of those that overlap the first, and of those that begin together the longest, or the shortest."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], span[1] if shortest else -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
