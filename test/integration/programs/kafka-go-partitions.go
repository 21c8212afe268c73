// The partitions that segmentio/kafka-go chooses. Compiled in the module of peers/go.
//
//	kafka-go-partitions PARTITIONS
//
// Reads keys, one base64 line each, and prints for each the partitions of Hash,
// ReferenceHash, CRC32Balancer, Murmur2Balancer (both Consistent), LeastBytes,
// and RoundRobin with chunks of 3, each asked about one key after the other. To
// LeastBytes each key comes with itself as the value.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/segmentio/kafka-go"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatalf("not a number of partitions: %q", os.Args[1:])
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	partitions := make([]int, count)
	for i := range partitions {
		partitions[i] = i
	}
	balancers := []kafka.Balancer{
		&kafka.Hash{},
		&kafka.ReferenceHash{},
		kafka.CRC32Balancer{Consistent: true},
		kafka.Murmur2Balancer{Consistent: true},
		&kafka.LeastBytes{},
		&kafka.RoundRobin{ChunkSize: 3},
	}
	output := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		key, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		message := kafka.Message{Key: key, Value: key}
		for i, balancer := range balancers {
			if i > 0 {
				output.WriteByte(' ')
			}
			fmt.Fprint(output, balancer.Balance(message, partitions...))
		}
		output.WriteByte('\n')
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	if err := output.Flush(); err != nil {
		log.Fatal(err)
	}
}
