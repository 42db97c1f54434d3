package main

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/wire/schema"
)

// source is a message and the module it came from: a jar's name without its version, or a folder's.
type source struct {
	module string
	schema.Message
}

// readAll reads every schema below dir, from jars and from plain files.
func readAll(dir string) ([]source, error) {
	var all []source
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		var found []source
		switch filepath.Ext(name) {
		case ".jar":
			found, err = readJar(name)
		case ".json":
			var text []byte
			if text, err = os.ReadFile(name); err == nil {
				found, err = readFile(filepath.Base(filepath.Dir(name)), text)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, found...)
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no message schemas below %s", dir)
	}
	return all, err
}

// schemaFolders are where Kafka's modules keep schemas in their jars.
var schemaFolders = []string{"common/message", "common/metadata", "message"}

func readJar(name string) ([]source, error) {
	jar, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer jar.Close()
	module := moduleOf(filepath.Base(name))
	var all []source
	for _, entry := range jar.File {
		if !slices.Contains(schemaFolders, path.Dir(entry.Name)) || path.Ext(entry.Name) != ".json" {
			continue
		}
		found, err := readEntry(module, entry)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func readEntry(module string, entry *zip.File) ([]source, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return readFile(module, text)
}

func readFile(module string, text []byte) ([]source, error) {
	if !wanted(module) {
		return nil, nil
	}
	m, err := parseJSON(text)
	return []source{{module, m}}, err
}

// moduleOf takes the version and the extension off the name of a jar: kafka-clients-4.3.1.jar.
func moduleOf(jar string) string {
	words := strings.Split(strings.TrimSuffix(jar, ".jar"), "-")
	for i, w := range words {
		if w[:1] >= "0" && w[:1] <= "9" {
			return strings.Join(words[:i], "-")
		}
	}
	return strings.Join(words, "-")
}
