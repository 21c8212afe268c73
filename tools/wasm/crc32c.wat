;; Folds bytes into the last 209 of them without changing their CRC-32C. All input ends where the memory ends, at 131,072.
;; Not here: the CRC itself. src/protocol/crc32c.ts copies the bytes in, piece by piece, and looks up the CRC of what is left.
;; How: with y = x^8, the polynomial divides 1 + y^2751 + y^4508 + y^5275, so a byte vanishes when it is added to those 767,
;; 2,524 and 5,275 later (Chorba, arXiv 2412.16398). Of what is left, 5,275 bytes, all but 209 vanish by more terms that reach
;; less far: 1 + y^14 + y^39 + y^54 + y^144 + y^209. A pass forward gives every byte what reaches it. The last ones must not
;; vanish: a pass backward, with zeros in front of them, takes out what they gave to each other.
;; A turn is 64 bytes, so no pass may reach back less than 65.
(module
  (memory (export "memory") 2)

  ;; From $at to $stop, in steps of 64 or -64 bytes.
  (func $far (param $at i32) (param $stop i32) (param $step i32)
    (local $a i32) (local $b i32) (local $c i32)
    (local.set $a (i32.sub (local.get $at) (i32.const 767)))
    (local.set $b (i32.sub (local.get $at) (i32.const 2524)))
    (local.set $c (i32.sub (local.get $at) (i32.const 5275)))
    (loop $turn
      (v128.store (local.get $at)
        (v128.xor
          (v128.xor (v128.load (local.get $at)) (v128.load (local.get $a)))
          (v128.xor (v128.load (local.get $b)) (v128.load (local.get $c)))))
      (v128.store offset=16 (local.get $at)
        (v128.xor
          (v128.xor (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $a)))
          (v128.xor (v128.load offset=16 (local.get $b)) (v128.load offset=16 (local.get $c)))))
      (v128.store offset=32 (local.get $at)
        (v128.xor
          (v128.xor (v128.load offset=32 (local.get $at)) (v128.load offset=32 (local.get $a)))
          (v128.xor (v128.load offset=32 (local.get $b)) (v128.load offset=32 (local.get $c)))))
      (v128.store offset=48 (local.get $at)
        (v128.xor
          (v128.xor (v128.load offset=48 (local.get $at)) (v128.load offset=48 (local.get $a)))
          (v128.xor (v128.load offset=48 (local.get $b)) (v128.load offset=48 (local.get $c)))))
      (local.set $a (i32.add (local.get $a) (local.get $step)))
      (local.set $b (i32.add (local.get $b) (local.get $step)))
      (local.set $c (i32.add (local.get $c) (local.get $step)))
      (br_if $turn
        (i32.ne (local.tee $at (i32.add (local.get $at) (local.get $step))) (local.get $stop)))))

  ;; The same with the terms that reach less far.
  (func $near (param $at i32) (param $stop i32) (param $step i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32)
    (local.set $a (i32.sub (local.get $at) (i32.const 65)))
    (local.set $b (i32.sub (local.get $at) (i32.const 155)))
    (local.set $c (i32.sub (local.get $at) (i32.const 170)))
    (local.set $d (i32.sub (local.get $at) (i32.const 195)))
    (local.set $e (i32.sub (local.get $at) (i32.const 209)))
    (loop $turn
      (v128.store (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load (local.get $at)) (v128.load (local.get $a)))
            (v128.xor (v128.load (local.get $b)) (v128.load (local.get $c))))
          (v128.xor (v128.load (local.get $d)) (v128.load (local.get $e)))))
      (v128.store offset=16 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load offset=16 (local.get $at)) (v128.load offset=16 (local.get $a)))
            (v128.xor (v128.load offset=16 (local.get $b)) (v128.load offset=16 (local.get $c))))
          (v128.xor (v128.load offset=16 (local.get $d)) (v128.load offset=16 (local.get $e)))))
      (v128.store offset=32 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load offset=32 (local.get $at)) (v128.load offset=32 (local.get $a)))
            (v128.xor (v128.load offset=32 (local.get $b)) (v128.load offset=32 (local.get $c))))
          (v128.xor (v128.load offset=32 (local.get $d)) (v128.load offset=32 (local.get $e)))))
      (v128.store offset=48 (local.get $at)
        (v128.xor
          (v128.xor
            (v128.xor (v128.load offset=48 (local.get $at)) (v128.load offset=48 (local.get $a)))
            (v128.xor (v128.load offset=48 (local.get $b)) (v128.load offset=48 (local.get $c))))
          (v128.xor (v128.load offset=48 (local.get $d)) (v128.load offset=48 (local.get $e)))))
      (local.set $a (i32.add (local.get $a) (local.get $step)))
      (local.set $b (i32.add (local.get $b) (local.get $step)))
      (local.set $c (i32.add (local.get $c) (local.get $step)))
      (local.set $d (i32.add (local.get $d) (local.get $step)))
      (local.set $e (i32.add (local.get $e) (local.get $step)))
      (br_if $turn
        (i32.ne (local.tee $at (i32.add (local.get $at) (local.get $step))) (local.get $stop)))))

  ;; From $start on, a multiple of 64: in front of it lie zeros or the end of the piece before, 5,312 bytes.
  (func (export "forward") (param $start i32)
    (call $far (local.get $start) (i32.const 131072) (i32.const 64)))

  ;; After the last piece: leaves 209 bytes, with zeros in front.
  (func (export "finish")
    ;; 5,275 bytes take 83 turns, 209 take 4.
    (memory.fill (i32.const 120384) (i32.const 0) (i32.const 5413))
    (call $far (i32.const 131008) (i32.const 125696) (i32.const -64))
    (call $near (i32.const 125760) (i32.const 131072) (i32.const 64))
    (memory.fill (i32.const 130560) (i32.const 0) (i32.const 303))
    (call $near (i32.const 131008) (i32.const 130752) (i32.const -64))))
