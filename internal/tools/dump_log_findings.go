package tools

import (
	"cmp"
	"fmt"
	"slices"
)

// dumpFindings are the faults that the checks of kafka-dump-log found, which it prints on stderr at its end.
type dumpFindings struct {
	indexMismatches                        fileFindings
	timeMismatches, timeDisorder, notFound fileFindings
	nonConsecutive                         fileFindings
}

// fileFindings are pairs of numbers by file, in the order in which they were found.
type fileFindings struct {
	files []string
	pairs map[string][][2]int64
}

func (f *fileFindings) add(file string, a, b int64) {
	if f.pairs == nil {
		f.pairs = make(map[string][][2]int64)
	}
	if f.pairs[file] == nil {
		f.files = append(f.files, file)
	}
	f.pairs[file] = append(f.pairs[file], [2]int64{a, b})
}

// pair is add, but of pairs with the same first number only the last counts.
func (f *fileFindings) pair(file string, a, b int64) {
	if i := slices.IndexFunc(f.pairs[file], func(p [2]int64) bool { return p[0] == a }); i >= 0 {
		f.pairs[file][i][1] = b
		return
	}
	f.add(file, a, b)
}

// print writes the findings of each file under a title, in the order of Java's hash map.
func (f *fileFindings) print(inv *invocation, title, line string) {
	for _, file := range inComputedMapOrder(f.files, func(file string) string { return file }) {
		inv.complain(title + file)
		for _, p := range f.pairs[file] {
			inv.complain(fmt.Sprintf(line, p[0], p[1]))
		}
	}
}

// sort orders the pairs of each file by their first number.
func (f *fileFindings) sort(descending bool) {
	for _, pairs := range f.pairs {
		slices.SortFunc(pairs, func(a, b [2]int64) int {
			if descending {
				a, b = b, a
			}
			return cmp.Compare(a[0], b[0])
		})
	}
}

func (d *dumpFindings) print(inv *invocation) {
	d.indexMismatches.sort(true)
	d.nonConsecutive.sort(false)
	d.indexMismatches.print(inv, "Mismatches in :", "  Index offset: %d, log offset: %d")
	d.timeMismatches.print(inv, "Found timestamp mismatch in :", "  Index timestamp: %d, log timestamp: %d")
	d.timeDisorder.print(inv, "Found out of order timestamp in :", "  Index timestamp: %d, Previously indexed timestamp: %d")
	d.notFound.print(inv, "The following indexed offsets are not found in :", "Indexed offset: %d, found log offset: %d")
	d.nonConsecutive.print(inv, "Non-consecutive offsets in ", "  %d is followed by %d")
}
