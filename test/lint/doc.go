// Package lint turns the rules of the tree into tests: which package may import which, and that names
// and sizes stay readable.
package lint
