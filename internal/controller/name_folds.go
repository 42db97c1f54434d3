package controller

import (
	"slices"
	"strings"
)

// nameFolds finds topics whose names differ only in '.' against '_': names of metrics fold the two. It holds
// the topics with either character by their folded names.
type nameFolds map[string][]string

func fold(name string) string { return strings.ReplaceAll(name, ".", "_") }

func (f nameFolds) add(name string) {
	if strings.ContainsAny(name, "._") {
		f[fold(name)] = append(f[fold(name)], name)
	}
}

func (f nameFolds) remove(name string) {
	folded := fold(name)
	names := slices.DeleteFunc(f[folded], func(n string) bool { return n == name })
	if len(names) == 0 {
		delete(f, folded)
		return
	}
	f[folded] = names
}

// colliding returns the existing topic that a new name collides with, itself included.
func (f nameFolds) colliding(name string) (string, bool) {
	if names := f[fold(name)]; len(names) > 0 && strings.ContainsAny(name, "._") {
		return names[0], true
	}
	return "", false
}
