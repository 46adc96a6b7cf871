// The print button of printable pages.
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    window.print();
  });
}
