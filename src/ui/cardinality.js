// The tab "Cardinality": what has the most series and bytes.

import { get } from './api.js';
import { $, bytes, h, number, setAttribute } from './dom.js';
import { keyOf, ordered, selector } from './labels.js';
import { List, orSay } from './lists.js';

const name = (item) => h('bdi', {}, item.name);
const count = (head, member) => ({ head, number: true, unit: member, of: (item) => number(item[member]) });
const amounts = [count('Series', 'series'), { head: 'Bytes', number: true, of: (item) => bytes(item.bytes) }];

const groupsThat = (q) => `./?q=${encodeURIComponent(q)}`;

const job = (item) => h('a', { class: 'job', href: groupsThat(selector({ job: item.name })) }, name(item));

/** Its chips are one link: to this group, and to those that have more labels. */
const group = ({ labels }) => h('a', { class: 'job', href: groupsThat(selector(labels)) },
  ordered(labels).flatMap(([label, value], i) => [i > 0 && ' ', h('span', { class: 'chip' }, h('i', {}, `${label}=`), h('bdi', {}, value))]));

/** A rule's limits, one by one: whose, how much of it is used, and by what. */
const limitsOf = ({ match, limits, most_series: series, most_families: families }) => [
  limits.series && { match, what: 'series of a group', used: series?.series ?? 0, limit: limits.series, by: series },
  limits.families && { match, what: 'families of a group', used: families?.families ?? 0, limit: limits.families, by: families },
  limits.label_values && { match, what: 'values of a label', used: limits.most_values?.values ?? 0, limit: limits.label_values, by: limits.most_values },
].filter(Boolean);

const NONE = 'Nothing is stored.';
const FINDINGS = 20;

export class Cardinality {
  constructor(page) {
    this.page = page;
    this.sort = h('div', { class: 'seg', role: 'group', 'aria-label': 'Sorted by' },
      ['series', 'bytes'].map((by) => h('a', { href: by === 'series' ? 'cardinality' : '?sort=bytes', 'data-by': by }, `by ${by}`)));
    this.lists = {
      families: new List('top-families', 'Metric families', [{ head: 'Name', of: name }, ...amounts], NONE),
      jobs: new List('top-jobs', 'Jobs', [{ head: 'Job', of: job }, count('Groups', 'groups'), ...amounts], NONE),
      labels: new List('top-labels', 'Label names', [{ head: 'Name', of: name }, count('Values', 'values'), ...amounts], NONE),
      groups: new List('top-groups', 'Groups', [{ head: 'Group', of: group }, ...amounts], NONE),
    };
    this.names = new List('names', 'Names that break Prometheus’s rules', [
      { head: 'Metric', of: (item) => h('bdi', {}, item.metric) },
      { head: 'What is wrong', of: (item) => item.problem },
      { head: 'Group', of: (item) => group(item.group) },
    ], NONE);
    this.limits = new List('limits', 'Limits of rules', [
      { head: 'Rule', of: (item) => h('code', {}, item.match) },
      { head: 'Limit', of: (item) => item.what },
      { head: 'Most', of: (item) => item.by && (item.by.label ? h('bdi', {}, item.by.label) : group(item.by)) },
      { head: 'Used', number: true, of: (item) => `${number(item.used)} of ${number(item.limit)}` },
    ], NONE);
    $('lists').append(this.sort, h('div', { class: 'two' }, Object.values(this.lists).map(({ element }) => element)));
  }

  refresh() {
    const by = new URLSearchParams(location.search).get('sort') ?? 'series';
    for (const choice of this.sort.children) setAttribute(choice, 'aria-current', choice.dataset.by === by ? 'true' : null);
    return orSay(async () => {
      const { data } = await get(`api/v1/status/cardinality?sort=${encodeURIComponent(by)}`);
      for (const [member, list] of Object.entries(this.lists)) {
        const items = data[member], total = data.totals[member];
        list.show(items, (item) => (item.labels ? keyOf(item.labels) : item.name || ' '), total > items.length ? `${items.length} of ${number(total)}` : '');
      }
      await this.showLimits();
      await this.showNames();
    });
  }

  async showLimits() {
    const { data: { rules } } = await get('api/v1/limits');
    const items = rules.flatMap(limitsOf);
    if (!items.length) this.limits.element.remove();
    else if (!this.limits.element.isConnected) $('lists').append(this.limits.element);
    this.limits.show(items, ({ match, what, by }) => `${match} ${what} ${by?.label ?? (by ? keyOf(by.labels) : '')}`);
  }

  /** Of groups whose rule says lint. */
  async showNames() {
    const { data: { findings, total } } = await get(`api/v1/lint?limit=${FINDINGS}`);
    if (!total) this.names.element.remove();
    else if (!this.names.element.isConnected) $('lists').append(this.names.element);
    this.names.show(findings, (item) => `${keyOf(item.group.labels)} ${item.metric} ${item.problem}`,
      findings.length < total ? `${number(findings.length)} of ${number(total)}` : number(total));
  }
}
