// Schemas writes the protocol reference in internal/wire/schema from Kafka's own message schemas.
//
//	go run ./internal/wire/schemas DIR
//
// DIR holds Kafka's jars, or folders of such JSON files that are named after the module they are from;
// it is searched to the bottom. Only facts are taken over (keys, versions, names, types, defaults), no
// descriptions. The script fetch beside this file (`make schemas`) gets the jars from Maven Central
// and calls it.
package main

import (
	"fmt"
	"log"
	"os"
)

const target = "internal/wire/schema"

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage (from the root of the repository): schemas DIR_OF_JARS_OR_JSON")
	}
	messages, err := readAll(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	files, err := arrange(messages)
	if err != nil {
		log.Fatal(err)
	}
	if err := write(target, files); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d messages in %d files of %s\n", len(messages), len(files), target)
}
