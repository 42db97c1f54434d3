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
	files  []string
	byFile map[string]*filePairs
}

type filePairs struct {
	pairs [][2]int64
	index map[int64]int // of a pair, by its first number
}

func (f *fileFindings) of(file string) *filePairs {
	if f.byFile[file] == nil {
		if f.byFile == nil {
			f.byFile = make(map[string]*filePairs)
		}
		f.files = append(f.files, file)
		f.byFile[file] = &filePairs{index: make(map[int64]int)}
	}
	return f.byFile[file]
}

func (f *fileFindings) add(file string, a, b int64) {
	p := f.of(file)
	p.pairs = append(p.pairs, [2]int64{a, b})
}

// pair is add, but of pairs with the same first number only the last counts.
func (f *fileFindings) pair(file string, a, b int64) {
	p := f.of(file)
	if i, known := p.index[a]; known {
		p.pairs[i][1] = b
		return
	}
	p.index[a] = len(p.pairs)
	p.pairs = append(p.pairs, [2]int64{a, b})
}

// print writes the findings of each file under a title, in the order of Java's hash map.
func (f *fileFindings) print(inv *invocation, title, line string) {
	for _, file := range inComputedMapOrder(f.files, func(file string) string { return file }) {
		inv.complain(title + file)
		for _, p := range f.byFile[file].pairs {
			inv.complain(fmt.Sprintf(line, p[0], p[1]))
		}
	}
}

// sort orders the pairs of each file by their first number.
func (f *fileFindings) sort(descending bool) {
	for _, found := range f.byFile {
		slices.SortFunc(found.pairs, func(a, b [2]int64) int {
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
