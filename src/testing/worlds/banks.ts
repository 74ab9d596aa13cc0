/** What the worlds are about: plain facts of an imaginary office, from which each seed draws its own. */
import type { Matter } from "./lore.ts";

/** A matter with samples of it: as it stands in a question, as it is right in an answer, and as it only seems right. */
export interface Topic extends Matter {
  readonly samples: readonly (readonly [asked: string, right: string, wrong: string])[];
}

type Said = readonly [says: string, essence: string];

const topic = (
  name: string,
  subject: string,
  [right, essence]: Said,
  [wrong, seeming]: Said,
  ...samples: Topic["samples"]
): Topic => ({
  name,
  right: { says: right, subject, essence },
  wrong: { says: wrong, subject, essence: seeming },
  samples,
});

/** Fields of records, and how the house writes them. */
export const houseRules: readonly Topic[] = [
  topic(
    "date",
    "dates",
    ["Write dates day first, with dots.", "day first"],
    ["Write dates month first, with slashes.", "month first"],
    ["2024-03-05", "05.03.2024", "03/05/2024"],
    ["2023-11-30", "30.11.2023", "11/30/2023"],
    ["2025-01-17", "17.01.2025", "01/17/2025"],
  ),
  topic(
    "amount",
    "amounts",
    ["Write amounts in whole units, rounded down.", "rounded down"],
    ["Write amounts rounded up to the next ten.", "rounded up"],
    ["1234.56", "1234", "1240"],
    ["87.20", "87", "90"],
    ["405.99", "405", "410"],
  ),
  topic(
    "country",
    "countries",
    ["Write countries by their code of two letters.", "two letters"],
    ["Write countries in full, in their own language.", "own language"],
    ["Germany", "DE", "Deutschland"],
    ["Sweden", "SE", "Sverige"],
    ["Spain", "ES", "España"],
  ),
  topic(
    "name",
    "names",
    ["Write names of people with the family name first.", "family name first"],
    ["Write names of people as initials.", "initials"],
    ["Ada Byron", "Byron, Ada", "A. B."],
    ["Carl Linde", "Linde, Carl", "C. L."],
    ["Mary Shaw", "Shaw, Mary", "M. S."],
  ),
  topic(
    "phone",
    "phone numbers",
    ["Write phone numbers without any spaces.", "without any spaces"],
    ["Write phone numbers in groups of two digits.", "groups of two"],
    ["030 4456 12", "030445612", "03 04 45 61 2"],
    ["089 7712 90", "089771290", "08 97 71 29 0"],
    ["040 3318 77", "040331877", "04 03 31 87 7"],
  ),
  topic(
    "time",
    "times",
    ["Write times on the clock of twelve hours.", "twelve hours"],
    ["Write times in seconds since midnight.", "midnight"],
    ["14:30", "2:30 pm", "52200"],
    ["09:15", "9:15 am", "33300"],
    ["20:45", "8:45 pm", "74700"],
  ),
  topic(
    "weight",
    "weights",
    ["Write weights in grams.", "grams"],
    ["Write weights in pounds.", "pounds"],
    ["1.5 kg", "1500 g", "3.3 lb"],
    ["0.4 kg", "400 g", "0.9 lb"],
    ["2 kg", "2000 g", "4.4 lb"],
  ),
  topic(
    "status",
    "the status",
    ["Write the status in capitals.", "capitals"],
    ["Write the status as a number.", "as a number"],
    ["open", "OPEN", "1"],
    ["closed", "CLOSED", "0"],
    ["on hold", "ON HOLD", "2"],
  ),
  topic(
    "reference",
    "references",
    ["Write references with REF in front.", "REF in front"],
    ["Write references backwards.", "backwards"],
    ["48812", "REF-48812", "21884"],
    ["30571", "REF-30571", "17503"],
    ["92046", "REF-92046", "64029"],
  ),
  topic(
    "discount",
    "discounts",
    ["Write discounts as fractions of one.", "fractions"],
    ["Write discounts in per mille.", "per mille"],
    ["12%", "0.12", "120‰"],
    ["5%", "0.05", "50‰"],
    ["30%", "0.30", "300‰"],
  ),
  topic(
    "city",
    "cities",
    ["Write cities with their postal code in front.", "postal code"],
    ["Write cities without vowels.", "vowels"],
    ["Leipzig", "04109 Leipzig", "Lpzg"],
    ["Bremen", "28195 Bremen", "Brmn"],
    ["Kassel", "34117 Kassel", "Kssl"],
  ),
  topic(
    "size",
    "sizes",
    ["Write sizes with the height before the width.", "height before"],
    ["Write sizes as areas.", "areas"],
    ["30 wide, 40 high", "40x30", "1200"],
    ["20 wide, 25 high", "25x20", "500"],
    ["60 wide, 10 high", "10x60", "600"],
  ),
];

/** What customers ask, what the answer is, and an old story that leads astray. */
export const customerFacts: readonly Topic[] = [
  topic(
    "refunds",
    "refunds",
    ["Refunds take five working days.", "five working days"],
    ["In the first years of the house refunds took a whole month, as old customers like to recall.", "month"],
    ["how long", "five working days", "a month"],
    ["until when", "five working days from now", "next month"],
  ),
  topic(
    "parcels",
    "parcels",
    ["Parcels are insured up to 500 euros.", "500 euros"],
    ["A legend has it that parcels once went out by balloon, and nobody insured them.", "balloon"],
    ["insured?", "up to 500 euros", "no"],
    ["what is paid for loss", "up to 500 euros", "nothing"],
  ),
  topic(
    "opening",
    "shop",
    ["The shop is open from nine to six.", "nine to six"],
    ["Our founder kept the shop open until the last lamp on the street went out.", "last lamp"],
    ["when", "nine to six", "until late"],
    ["at seven in the evening?", "no, nine to six", "yes, until late"],
  ),
  topic(
    "warranty",
    "warranty",
    ["The warranty lasts three years.", "three years"],
    ["Some clocks came with a warranty for life, which was a joke between the partners.", "for life"],
    ["how long", "three years", "for life"],
    ["still valid in the second year?", "yes, three years", "yes, for life"],
  ),
  topic(
    "payment",
    "payment",
    ["For payment we take cards and bank transfers.", "bank transfers"],
    ["It is said that payment in eggs was welcome in the hard winter.", "eggs"],
    ["how", "cards and bank transfers", "as you like"],
    ["cheques?", "no, cards and bank transfers", "as you like"],
  ),
  topic(
    "gifts",
    "gift wrapping",
    ["Gift wrapping is free.", "free"],
    ["The wife of the founder sold gift wrapping by the yard, two shillings each.", "shillings"],
    ["what does it cost", "nothing", "two shillings"],
    ["for ten boxes?", "nothing", "twenty shillings"],
  ),
  topic(
    "repairs",
    "repairs",
    ["Repairs are done in the workshop in Jena.", "Jena"],
    ["Before the fire, repairs were done in a barge on the river.", "barge"],
    ["where", "Jena", "on the river"],
    ["whom to send it to", "the workshop in Jena", "the barge"],
  ),
  topic(
    "invoices",
    "invoices",
    ["Invoices come by email.", "by email"],
    ["Invoices were written with a goose quill until a goose bit the bookkeeper.", "quill"],
    ["how", "by email", "by hand"],
    ["on paper?", "no, by email", "yes, by hand"],
  ),
];

/** Sentences that say nothing a model could use. */
export const platitudes: readonly string[] = [
  "Be careful and precise.",
  "Think step by step before you answer.",
  "Always do your very best.",
  "Take a deep breath.",
  "Your work matters a great deal to everybody here.",
  "Read everything twice.",
  "Quality comes first.",
  "Remember what you have learned.",
];

/** Sentences of a house's history: they make a prompt long. */
export const history: readonly string[] = [
  "The house was founded by two brothers who could not agree on anything but clocks.",
  "Its first room had one window and a stove that smoked.",
  "A portrait of the elder brother hangs in the hall to this day.",
  "In the great flood the ledgers were carried to the attic by the apprentices.",
  "Three generations later the sign above the door was painted green.",
  "Visitors often remark on the smell of oil and brass.",
  "The cat is called Pendulum, as all its forebears were.",
  "Every spring the whole staff walks to the mill and back.",
];
