fn main() {
    println!("bins-ctl");
}
