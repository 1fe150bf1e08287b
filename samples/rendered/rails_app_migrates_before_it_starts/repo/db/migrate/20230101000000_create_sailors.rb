class CreateSailors < ActiveRecord::Migration[7.0]
  def change
    create_table :sailors do |t|
      t.string :name
    end
  end
end
