//! A small library: inductive types with their recursors written out, and theorems about them.

/// Inductive types, constructors, recursors.
pub(super) const PRELUDE: &[&str] = &[
    "inductive False : Prop | 0 0 0 |",
    "recursor False.rec.{u} : (motive : False -> Sort.{u}) -> (h : False) -> motive h | 0 0 1 0 0 | False",
    "inductive True : Prop | 0 0 0 | True.intro",
    "constructor True.intro : True | True 0 0 0",
    "inductive Nat : Type | 0 0 1 | Nat.zero Nat.succ",
    "constructor Nat.zero : Nat | Nat 0 0 0",
    "constructor Nat.succ : Nat -> Nat | Nat 1 0 1",
    "recursor Nat.rec.{u} : (motive : Nat -> Sort.{u}) -> (z : motive Nat.zero)
        -> (s : (n : Nat) -> motive n -> motive (Nat.succ n)) -> (n : Nat) -> motive n
        | 0 0 1 2 0 | Nat
        | Nat.zero 0 := fun (motive : Nat -> Sort.{u}) (z : motive Nat.zero)
            (s : (n : Nat) -> motive n -> motive (Nat.succ n)) => z
        | Nat.succ 1 := fun (motive : Nat -> Sort.{u}) (z : motive Nat.zero)
            (s : (n : Nat) -> motive n -> motive (Nat.succ n)) (n : Nat) => s n (Nat.rec.{u} motive z s n)",
    "inductive Bool : Type | 0 0 0 | Bool.false Bool.true",
    "constructor Bool.false : Bool | Bool 0 0 0",
    "constructor Bool.true : Bool | Bool 1 0 0",
    "recursor Bool.rec.{u} : (motive : Bool -> Sort.{u}) -> (f : motive Bool.false) -> (t : motive Bool.true)
        -> (b : Bool) -> motive b
        | 0 0 1 2 0 | Bool
        | Bool.false 0 := fun (motive : Bool -> Sort.{u}) (f : motive Bool.false) (t : motive Bool.true) => f
        | Bool.true 0 := fun (motive : Bool -> Sort.{u}) (f : motive Bool.false) (t : motive Bool.true) => t",
    "inductive Eq.{u} : (A : Sort.{u}) -> A -> A -> Prop | 2 1 0 | Eq.refl",
    "constructor Eq.refl.{u} : (A : Sort.{u}) -> (a : A) -> Eq.{u} A a a | Eq 0 2 0",
    "recursor Eq.rec.{v, u} : (A : Sort.{u}) -> (a : A) -> (motive : (b : A) -> Eq.{u} A a b -> Sort.{v})
        -> (m : motive a (Eq.refl.{u} A a)) -> (b : A) -> (h : Eq.{u} A a b) -> motive b h
        | 2 1 1 1 1 | Eq
        | Eq.refl 0 := fun (A : Sort.{u}) (a : A) (motive : (b : A) -> Eq.{u} A a b -> Sort.{v})
            (m : motive a (Eq.refl.{u} A a)) => m",
    "inductive And : Prop -> Prop -> Prop | 2 0 0 | And.intro",
    "constructor And.intro : (a : Prop) -> (b : Prop) -> a -> b -> And a b | And 0 2 2",
    "inductive Prod.{u} : Sort.{u+1} -> Sort.{u+1} -> Sort.{u+1} | 2 0 0 | Prod.mk",
    "constructor Prod.mk.{u} : (A : Sort.{u+1}) -> (B : Sort.{u+1}) -> A -> B -> Prod.{u} A B | Prod 0 2 2",
    "recursor Prod.rec.{v, u} : (A : Sort.{u+1}) -> (B : Sort.{u+1}) -> (motive : Prod.{u} A B -> Sort.{v})
        -> (m : (a : A) -> (b : B) -> motive (Prod.mk.{u} A B a b)) -> (p : Prod.{u} A B) -> motive p
        | 2 0 1 1 0 | Prod
        | Prod.mk 2 := fun (A : Sort.{u+1}) (B : Sort.{u+1}) (motive : Prod.{u} A B -> Sort.{v})
            (m : (a : A) -> (b : B) -> motive (Prod.mk.{u} A B a b)) (a : A) (b : B) => m a b",
    "inductive Unit : Type | 0 0 0 | Unit.unit",
    "constructor Unit.unit : Unit | Unit 0 0 0",
    "inductive Exists : (A : Type) -> (A -> Prop) -> Prop | 2 0 0 | Exists.intro",
    "constructor Exists.intro : (A : Type) -> (p : A -> Prop) -> (a : A) -> p a -> Exists A p | Exists 0 2 2",
    "inductive Or : Prop -> Prop -> Prop | 2 0 0 | Or.inl Or.inr",
    "constructor Or.inl : (a : Prop) -> (b : Prop) -> a -> Or a b | Or 0 2 1",
    "constructor Or.inr : (a : Prop) -> (b : Prop) -> b -> Or a b | Or 1 2 1",
    "quot Quot.{u} : (A : Sort.{u}) -> (A -> A -> Prop) -> Sort.{u}",
    "quot Quot.mk.{u} : (A : Sort.{u}) -> (r : A -> A -> Prop) -> A -> Quot.{u} A r",
    "quot Quot.lift.{u, v} : (A : Sort.{u}) -> (r : A -> A -> Prop) -> (B : Sort.{v}) -> (f : A -> B)
        -> ((a : A) -> (b : A) -> r a b -> Eq.{v} B (f a) (f b)) -> Quot.{u} A r -> B",
    "quot Quot.ind.{u} : (A : Sort.{u}) -> (r : A -> A -> Prop) -> (B : Quot.{u} A r -> Prop)
        -> ((a : A) -> B (Quot.mk.{u} A r a)) -> (q : Quot.{u} A r) -> B q",
    "inductive List.{u} : Sort.{u+1} -> Sort.{u+1} | 1 0 1 | List.nil List.cons",
    "constructor List.nil.{u} : (A : Sort.{u+1}) -> List.{u} A | List 0 1 0",
    "constructor List.cons.{u} : (A : Sort.{u+1}) -> A -> List.{u} A -> List.{u} A | List 1 1 2",
    "inductive Char : Type | 0 0 0 | Char.mk",
    "constructor Char.mk : Nat -> Char | Char 0 0 1",
    "inductive String : Type | 0 0 0 | String.mk",
    "constructor String.mk : List.{0} Char -> String | String 0 0 1",
    "inductive Maybe.{u} : Sort.{u} -> Sort.{u} | 1 0 0 | Maybe.mk",
    "constructor Maybe.mk.{u} : (A : Sort.{u}) -> A -> Maybe.{u} A | Maybe 0 1 1",
    "inductive Hidden : Sort.{imax 1 0} | 0 0 0 | Hidden.mk",
    "constructor Hidden.mk : Bool -> Hidden | Hidden 0 0 1",
];

/// Definitions and theorems that are right.
pub(super) const THEOREMS: &[&str] = &[
    "def Char.ofNat : Nat -> Char := fun (n : Nat) => Char.mk n",
    "def Nat.add : Nat -> Nat -> Nat := fun (a : Nat) (b : Nat) =>
        Nat.rec.{1} (fun (n : Nat) => Nat) a (fun (n : Nat) (r : Nat) => Nat.succ r) b",
    "def Nat.mul : Nat -> Nat -> Nat := fun (a : Nat) (b : Nat) =>
        Nat.rec.{1} (fun (n : Nat) => Nat) 0 (fun (n : Nat) (r : Nat) => Nat.add r a) b",
    "def Not : Prop -> Prop := fun (p : Prop) => p -> False",
    "def id.{u} : (A : Sort.{u}) -> A -> A := fun (A : Sort.{u}) (a : A) => a",
    "theorem two_two : Eq.{1} Nat (Nat.add 2 2) 4 := Eq.refl.{1} Nat 4",
    "theorem congr.{u, v} : (A : Sort.{u}) -> (B : Sort.{v}) -> (f : A -> B) -> (a : A) -> (b : A)
        -> Eq.{u} A a b -> Eq.{v} B (f a) (f b)
        := fun (A : Sort.{u}) (B : Sort.{v}) (f : A -> B) (a : A) (b : A) (h : Eq.{u} A a b) =>
        Eq.rec.{0, u} A a (fun (c : A) (h : Eq.{u} A a c) => Eq.{v} B (f a) (f c)) (Eq.refl.{v} B (f a)) b h",
    "theorem zero_add : (n : Nat) -> Eq.{1} Nat (Nat.add 0 n) n
        := fun (n : Nat) => Nat.rec.{0} (fun (n : Nat) => Eq.{1} Nat (Nat.add 0 n) n)
        (Eq.refl.{1} Nat 0)
        (fun (n : Nat) (ih : Eq.{1} Nat (Nat.add 0 n) n) => congr.{1, 1} Nat Nat Nat.succ (Nat.add 0 n) n ih) n",
    "theorem symm.{u} : (A : Sort.{u}) -> (a : A) -> (b : A) -> Eq.{u} A a b -> Eq.{u} A b a
        := fun (A : Sort.{u}) (a : A) (b : A) (h : Eq.{u} A a b) =>
        Eq.rec.{0, u} A a (fun (c : A) (h : Eq.{u} A a c) => Eq.{u} A c a) (Eq.refl.{u} A a) b h",
    "theorem and_swap : (a : Prop) -> (b : Prop) -> And a b -> And b a
        := fun (a : Prop) (b : Prop) (h : And a b) => And.intro b a (#And 1 h) (#And 0 h)",
    "theorem prod_eta.{u} : (A : Sort.{u+1}) -> (B : Sort.{u+1}) -> (p : Prod.{u} A B)
        -> Eq.{u+1} (Prod.{u} A B) p (Prod.mk.{u} A B (#Prod 0 p) (#Prod 1 p))
        := fun (A : Sort.{u+1}) (B : Sort.{u+1}) (p : Prod.{u} A B) => Eq.refl.{u+1} (Prod.{u} A B) p",
    "theorem false_true : Eq.{1} Bool Bool.false Bool.true -> False
        := fun (h : Eq.{1} Bool Bool.false Bool.true) => Eq.rec.{0, 1} Bool Bool.false
        (fun (b : Bool) (h : Eq.{1} Bool Bool.false b) => Bool.rec.{1} (fun (b : Bool) => Prop) True False b)
        True.intro Bool.true h",
    "theorem zero_ne_one : Not (Eq.{1} Nat 0 1)
        := fun (h : Eq.{1} Nat 0 1) => Eq.rec.{0, 1} Nat 0
        (fun (n : Nat) (h : Eq.{1} Nat 0 n) => Nat.rec.{1} (fun (n : Nat) => Prop) True
            (fun (n : Nat) (p : Prop) => False) n)
        True.intro 1 h",
    "theorem let_in : Eq.{1} Nat (let x : Nat := 3; Nat.add x x) 6 := Eq.refl.{1} Nat 6",
];
