"""The table of `make bench`, from made-up figures: nothing is measured here."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.benchmarks.bench import Results, legend, main, table
from tests.benchmarks.peers import PEERS, TARGETS, USUAL, WORKLOADS
from tests.benchmarks.picture import Line, Panel, draw


def measured(rates, workload='A', by_cpu=False, **more):
    """`rates` of each peer, one a round."""
    results = Results(by_cpu)
    for peer, of_rounds in rates.items():
        for rate in of_rounds:
            said = {'error': 'gone'} if rate is None else {'rate': rate, 'server_cpu': 1.0, **more}
            results.add(peer, WORKLOADS[workload].options, said)
    return results


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_figures():
    results = measured({'node': [100, 10, 50], 'plain': [150, 40, 100]})
    assert results.ratio('plain', 'node', 'A') == 2
    assert results.figure('plain', 'A') == 100


def test_a_round_that_failed_for_one_counts_for_none():
    results = measured({'node': [100, None, 100], 'plain': [150, 1, None]})
    assert results.ratio('plain', 'node', 'A') == 1.5


def test_nothing_was_measured():
    assert measured({}).ratio('plain', 'node', 'A') is None
    assert table(measured({}), ['node'], ['A']).splitlines()[-1].split() == ['node', '-']


def test_rates_by_cpu_time():
    assert measured({'plain': [100]}, by_cpu=True, server_cpu=0.5).figure('plain', 'A') == 200


def test_memory_is_no_rate():
    results = measured({'plain': [100]}, 'KiB', by_cpu=True, server_cpu=0.5, kib_per_conn=4.5)
    assert results.figure('plain', 'KiB') == 4.5
    assert results.figure('plain', 'D') == 200


@pytest.mark.parametrize(('ours', 'verdict'), [(2400.0, '>= 1.5 yes, 1.60'), (1400.0, '>= 1.5 NO, 0.93')])
def test_targets_are_marked(ours, verdict):
    results = measured({'node': [1500.0], 'plain': [ours]})
    rows = {line.split('  ')[0]: line for line in table(results, ['node', 'plain'], ['A']).splitlines()}
    assert verdict in rows['plain / node']
    assert 'plain / psio-gevent' not in rows
    assert f'({ours / 1000:.1f}k)' in rows['plain']


def test_of_memory_less_is_better():
    results = measured({'node': [1.0]}, 'KiB', kib_per_conn=10.0)
    results.add('plain', WORKLOADS['KiB'].options, {'rate': 1.0, 'server_cpu': 1.0, 'kib_per_conn': 3.9})
    assert '<= 0.4 yes, 0.39' in table(results, ['node', 'plain'], ['KiB'])


def test_a_server_that_was_kept_from_its_core_is_marked():
    assert '1.00 (5.0)~' in table(measured({'node': [5.0]}, server_cpu=0.5), ['node'], ['A'])
    assert '~' not in table(measured({'node': [5.0]}), ['node'], ['A'])


def test_how_near_ours_are_to_the_limit():
    text = table(measured({'node': [1.0], 'plain': [3.0], 'cfloor': [4.0]}), ['node', 'plain', 'cfloor'], ['A'])
    assert ['plain', '/', 'cfloor', '0.75'] in [line.split() for line in text.splitlines()]


def test_names_are_known():
    assert set(USUAL.split()) <= set(PEERS)
    for target in TARGETS:
        assert {target.who, target.beside} <= set(PEERS)
        assert set(target.ratios) <= set(WORKLOADS)
    for peer in PEERS.values():
        assert set(peer.cannot.split()) <= set(WORKLOADS)
    assert all(name in legend(list(PEERS), list(WORKLOADS)) for name in (*PEERS, *WORKLOADS))


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(['--peers', 'node,nobody'])
    assert "'nobody' is none of node" in capsys.readouterr().err


def test_a_picture_is_xml_and_says_what_it_shows():
    lines = [Line('<up>', [(10, 1_000), (100, 12_345)]), Line('flat', [(10, 500), (100, 500)])]
    picture = draw([Panel('Events', 'clients', lines)], 'on a machine & more')
    texts = [element.text for element in ET.fromstring(picture).iter('{http://www.w3.org/2000/svg}text')]
    assert {'Events', 'clients', '<up>', 'flat', 'on a machine & more', '10', '100', '12k'} <= set(texts)
